package posix_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// box is a host with core utilities alone.
type box struct {
	tools map[string]posix.Tool
	ctx   context.Context
	jobs  sync.WaitGroup
	last  atomic.Int64
}

func (b *box) Tool(name string) (posix.Tool, bool) { tool, ok := b.tools[name]; return tool, ok }
func (b *box) User(uid int) string                 { return map[int]string{0: "root"}[uid] }
func (b *box) Enter([]string) (int, func())        { return 4000 + int(b.last.Add(1)), func() {} }
func (b *box) Complain(string)                     {}
func (b *box) Spawn(run func(context.Context))     { b.jobs.Go(func() { run(b.ctx) }) }

// newBox gives a root process in /desk of a new host.
func newBox(t *testing.T) *posix.Proc {
	t.Helper()
	b := &box{tools: posix.Tools(), ctx: t.Context()}
	t.Cleanup(b.jobs.Wait)
	files := memfs.New(time.Now, nil)
	for _, dir := range []string{"/usr/bin", "/tmp", "/desk", "/dev", "/etc"} {
		if err := files.MkdirAll(memfs.Root, dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name := range b.tools {
		if err := files.Tool("/usr/bin/"+name, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.Symlink(memfs.Root, "usr/bin", "/bin"), files.Device("/dev/null")); err != nil {
		t.Fatal(err)
	}
	return &posix.Proc{System: b, FS: files, Dir: "/desk", Env: map[string]string{"PATH": "/usr/bin:/bin", "HOME": "/desk"}}
}

// runIn runs a script with arguments and gives its output and status.
func runIn(t *testing.T, p *posix.Proc, script string, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	p.Out, p.Err = &o, &e
	code = p.Shell(t.Context(), posix.Script{Name: "sh", Source: []byte(script), Params: args})
	return o.String(), e.String(), code
}

// subset are scripts within the contract. Each must do in the simulated shell what
// it does in dash.
func subset() map[string]string {
	return map[string]string{
		"export":              `LC_ALL=C; export LC_ALL; A=b; export "A"; env | grep -E '^(LC_ALL|A)=' | sort`,
		"export expanded":     `line='X_proxy=http://a b'; export "${line?}"; env | grep X_proxy`,
		"parameters":          `set -- a 'b c' ''; echo $#; for x in "$@"; do printf '<%s>' "$x"; done; shift; echo "$1"`,
		"expansion":           `f=/a/b.tar.gz; echo ${f#*.} ${f##*.} ${f%.*} ${f%%.*} ${f##*/} ${u:-none} ${f:+set} ${#f}`,
		"expansion with case": `v='x\y'; case $v in *\\*) echo back ;; *) echo plain ;; esac`,
		"arithmetic":          `wait=7; echo $((wait < 5 ? wait : 5)) $((2 + 3 * 4)) $((10 % 3))`,
		"here document":       "x=1\ncat <<END\na $x\nEND\ncat <<'END'\n$x `y`\nEND\n",
		"functions":           `f() { echo "in $1"; return 3; }; f a; echo $?; g() { set -- z; }; set -- y; g; echo $1`,
		"function in pipe":    `f() { while read -r l; do echo "[$l]"; done; }; printf 'a\nb c\n' | f`,
		"read":                `printf '  a b\\c  d \nsecond\n' >in; { IFS= read -r l; printf '%s\n' "<$l>"; read -r a b; echo "<$a><$b>"; read -r x || echo end; } <in`,
		"read splits":         `echo 'one two  three four' | { read -r a b rest; echo "$a|$b|$rest"; }`,
		"loop with break":     `i=0; while :; do i=$((i + 1)); [ $i -ge 4 ] && break; [ $i = 2 ] && continue; echo $i; done; until false; do break; done`,
		"test":                `[ -d . ] && echo d; [ -e nope ] || echo no; [ 3 -gt 2 ] && echo gt; [ -n "" ] || echo empty; test a = a && echo eq; [ ! -f x ] && echo notf`,
		"substitution":        `x=$(printf 'a\n\n'); echo "<$x>"; y=$(false) || echo failed; echo "$(echo "$(echo deep)")"`,
		"status of pipe":      `false | true; echo $?; true | false; echo $?; (exit 7); echo $?`,
		"redirections":        `{ echo out; echo err >&2; } >o 2>e; cat o e; { echo both; echo err >&2; } >b 2>&1; cat b; echo more >>o; cat <o; : >o; wc -c <o`,
		"set -e":              `set -e; if false; then :; fi; false || echo kept; ! true; false; echo not reached`,
		"set -u":              `set -u; echo "${nope:-fine}"; echo before; (echo "$nope"; echo not reached) 2>/dev/null; [ $? -ne 0 ] && echo stopped`,
		"exit in subshell":    `( echo a; exit 3 ); echo $?; { echo b; }; exit 4`,
		"trap exit":           `trap 'echo bye' EXIT; echo hi; exit 5`,
		"trap signals":        `trap : HUP INT TERM 2>/dev/null || :; echo fine`,
		"printf":              `printf '%s %d %05d|%-4s|\n' a 7 42 x; printf '%b.' 'a\tb\\'; printf '%s\n' 1 2 3; printf '%08d\n' 0; printf '%x\n' 255; printf '%04X %s %%\n' 22 x`,
		"real directory":      `mkdir d; ln -s d l; cd l; x=$(pwd -P); echo "${x##*/}"; x=$(pwd); echo "${x##*/}"`,
		"command -v":          `command -v nosuch >/dev/null 2>&1 || echo absent; command -v cat >/dev/null && echo there; command -v printf`,
		"missing command":     `nosuch-command; echo $?`,
		"glob":                `: >f1; : >f2; echo f*; set -f; echo f*; set +f; for x in none*; do echo "$x"; done`,
		"quoting":             `echo 'a"b' "c'd" e\ f; echo "$(printf '%s' "x  y")"; a='1 2'; set -- $a; echo $#`,
		"IFS":                 `IFS=:; set -- $(echo a:b:c); echo "$2"; IFS=,; echo "$*"`,
		"eval":                `name=v; eval "$name='x y'"; echo "$v"`,
		"getopts":             `set -- -a -b val rest; while getopts ab: o; do echo "$o ${OPTARG:-}"; done; shift $((OPTIND - 1)); echo "$1"`,
		"mkdir claims":        `mkdir d && echo first; mkdir d 2>/dev/null || echo second; mkdir -p d/e/f && [ -d d/e/f ] && echo deep; rmdir d/e/f && echo gone; rmdir d 2>/dev/null || echo notempty`,
		"rename":              `echo 0 >rc.tmp; mv -f rc.tmp rc; cat rc; [ -e rc.tmp ] || echo moved; mkdir into; mv rc into; cat into/rc`,
		"copy and remove":     `echo x >a; cp a b; rm a; cat b; rm -f nope; rm nope 2>/dev/null || echo missing; mkdir -p t/u; rm -rf t; [ -e t ] || echo gone`,
		"permissions":         `echo x >f; chmod 600 f; ls -l f | cut -c1-10; mkdir -m 700 p; ls -ld p | cut -c1-10; [ -x f ] || echo notexec; chmod 755 f; [ -x f ] && echo exec`,
		"links":               `ln -s target l; [ -h l ] && echo link; readlink l; [ -e l ] || echo dangling; echo c >target; cat l`,
		"head and tail":       `seq 1 20 >n; head -n 2 n; tail -n 2 n; tail -n +19 n; printf abcdef | tail -c 3; echo; printf abcdef | head -c 2; echo; printf abcdef | tail -c +5; echo; head -3 n`,
		"grep":                `printf 'one\ntwo\nOne 1\n' >g; grep -c o g; grep -q two g && echo yes; grep -F . g || echo none; grep -x one g; grep -E '^(one|two)$' g; grep -v o g; grep -i one g; grep -n two g; grep -F -e one g; grep nope missing 2>/dev/null; echo $?`,
		"grep basic":          `printf 'a+b\naab\nab\n(x)\n' >g; grep 'a+b' g; grep 'a\+b' g; grep '(x)' g; grep '^a*b$' g; grep '[[:alpha:]]\{3\}' g`,
		"cut":                 `printf 'a:b:c\nplain\n' >c; cut -d: -f2 c; cut -d: -f1,3 c; cut -d: -f2- c; cut -s -d: -f1 c; echo abcdef | cut -c2-4`,
		"tr":                  `echo 'Hello World' | tr a-z A-Z; echo 'a b  c' | tr -s ' ' '\n'; printf 'x\0y' | tr '\0' ' '; echo; echo a1b2 | tr -d '[:digit:]'; echo 'a b' | tr -d '\n'; echo`,
		"sort":                `printf 'b\na\nc\na\n' >s; sort s; sort -u s; sort -r s; printf '10\n9\n100\n' | sort -n; printf 'x 3\ny 1\n' | sort -k2; printf '6.1.0-9\n6.1.0-37\n6.1.0-10\n' | sort -V`,
		"uniq and wc":         `printf 'a\na\nb\n' >u; uniq u; uniq -d u; wc -l <u; printf 'a b\nc' | wc -w; printf abc | wc -c`,
		"sed":                 `printf 'key=val\nother\n' >s; sed -n 's/^key=\(.*\)$/\1/p' s; sed 's/o/0/g' s`,
		"names":               `dirname /a/b/c; basename /a/b/c.sh .sh; basename x; dirname x`,
		"env":                 `env A=1 sh -c 'echo "$A $0 $1"' zero one; env -i B=2 env | grep -v PATH`,
		"sh -c and -s":        `echo 'echo "$1-$2"; exit 6' | sh -s -- x y; echo $?; sh -c 'echo $#' n a b c; echo 'echo from file "$1"' >f.sh; sh f.sh q`,
		"xargs":               `printf 'a b\nc\n' | xargs echo; printf '' | xargs -r echo never`,
		"background":          `{ sleep 0.05; echo done >bg; } >/dev/null 2>&1 & wait; cat bg`,
		"setsid and nohup":    `setsid sh -c 'echo x' </dev/null; nohup echo y 2>/dev/null </dev/null`,
		"timeout":             `timeout 5 echo fast; timeout 0.05 sleep 5; echo $?`,
		"exec":                `sh -c 'exec echo replaced; echo not reached'; printf 'echo run "$@"' >e.sh; sh -c 'shift; exec sh "$@"' n drop e.sh a`,
		"pid":                 `a=$$; b=$(echo $$); [ "$a" = "$b" ] && echo same; sh -c 'echo $$' >other; [ "$a" != "$(cat other)" ] && echo another; case $$ in *[!0-9]*) echo odd ;; *) echo number ;; esac`,
		"sums":                `printf hello | sha256sum; printf hello >h; sha256sum h; md5sum h`,
		"tee":                 `echo a | tee t1 t2 >/dev/null; cat t1 t2; echo b | tee -a t1; cat t1`,
		"dev null":            `echo x >/dev/null; cat /dev/null; [ -c /dev/null ] && echo char`,
		"cd":                  `mkdir sub; cd sub || exit 1; pwd | grep -c 'sub$'; cd ..; (cd sub && : >in); [ -f sub/in ] && echo in; cd nope 2>/dev/null || echo no`,
		"ls":                  `: >b; : >a; ls -1; ls nope 2>/dev/null; echo $?; mkdir d; : >d/.h; ls d; ls -A d`,
		"source":              `echo 'v=sourced' >lib; . ./lib; echo $v`,
		"test -nt and modes":  `: >f; [ -s f ] || echo empty; echo x >f; [ -s f ] && echo full; [ -r f ] && echo r; [ -w f ] && echo w`,
		"case":                `for v in debian ubuntu rocky ''; do case $v in debian | ubuntu) echo apt ;; r*) echo dnf ;; '') echo empty ;; esac; done; case a1 in *[!a-z]*) echo bad ;; esac`,
		"unset and readonly":  `a=1; unset a; echo "${a-unset}"; readonly r=5; echo $r`,
		"negation":            `! false && echo yes; if ! true; then echo no; else echo else; fi`,
		"tail of group":       `{ code=0; sh -c 'echo out; exit 3' || code=$?; echo "end $code"; } | tail -c 6`,
		"head ends early":     `{ seq 1 5; echo status $?; } | head -n 2`,
		"find":                `mkdir -p d/e/f; echo a >d/a.txt; echo b >d/e/b.txt; echo c >d/e/c.md; ln -s a.txt d/l; find d -type f -name '*.txt' | sort; find d "(" -name 'a*' -o -name '*.md' ")" -type f | sort; find d ! -type d | sort; find d -maxdepth 1 | sort; find d -mindepth 2 -xdev -print | sort; find d -type l`,
		"find newer":          `mkdir d; echo a >d/old; sleep 0.05; echo x >mark; sleep 0.05; echo b >d/new; find d -type f -newer mark; find d -type f -cnewer mark; find d no-such 2>/dev/null; echo $?`,
		"arguments hold":      `f() { printf '%s\n' "$#" "$@"; }; f 'a b' '*' '$x' "it's"`,
	}
}

func TestSameAsDash(t *testing.T) {
	t.Parallel()
	dash, err := exec.LookPath("dash")
	if err != nil {
		t.Skipf("needs dash: %v", err)
	}
	for name, script := range subset() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := posix.Check(name, []byte(script)); len(found) > 0 {
				t.Fatalf("Check refuses it: %v", found)
			}
			real := exec.CommandContext(t.Context(), dash, "-c", script)
			real.Dir = t.TempDir()
			real.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + real.Dir}
			want, err := real.Output()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			p := newBox(t)
			p.Env["LC_ALL"] = "C"
			out, errs, code := runIn(t, p, script)
			if out != string(want) {
				t.Errorf("printed\n%s\ndash prints\n%s\nstderr\n%s", out, want, errs)
			}
			if wantCode := real.ProcessState.ExitCode(); code != wantCode {
				t.Errorf("status %d, dash gives %d; stderr\n%s", code, wantCode, errs)
			}
		})
	}
}

func TestOutsideOfTheSubset(t *testing.T) {
	for _, script := range []string{
		"echo x >&3", "exec 9>lock", "umask 077", "kill 1", "ulimit -n 5", "set -C", "[[ a = a ]]", "a=(1 2)", "local x=1", "source f", "fg", "flock 9",
		"function f { :; }", "echo <(true)", "if true; then", "cat <<< x",
	} {
		p := newBox(t)
		out, errs, code := runIn(t, p, "echo before; "+script)
		if code != posix.Usage || out != "" || errs == "" {
			t.Errorf("%s: status %d, output %q, error %q; want it refused before anything runs", script, code, out, errs)
		}
		if len(posix.Check("s", []byte(script))) == 0 {
			t.Errorf("%s: Check finds nothing", script)
		}
	}
}

func TestUnknownOptionsFailLoudly(t *testing.T) {
	for _, line := range []string{"cat -Z f", "ls --color=auto", "grep -P x", "mkdir -Z d", "rm --one-file-system x", "sort -h", "tail -f x", "date -d yesterday", "cp -r a b", "stat f", "find . -size 3", "find . -type s", "find . ( -name a", "find . -name"} {
		p := newBox(t)
		_, errs, code := runIn(t, p, line)
		if code == 0 {
			t.Errorf("%s: succeeded", line)
		}
		if !strings.Contains(errs, "lab") && code != posix.Usage {
			t.Errorf("%s: status %d, %q", line, code, errs)
		}
	}
}

func TestPermissions(t *testing.T) {
	p := newBox(t)
	runIn(t, p, "mkdir -m 700 /secret; echo x >/secret/f; echo y >/desk/f; chmod 600 /desk/f; mkdir -m 755 /open; echo z >/open/r; chmod 1777 /tmp; echo t >/tmp/roots")
	user := p.Child()
	user.UID = 1000
	for script, want := range map[string]int{
		"cat /secret/f": 1, "cat /desk/f": 1, "cat /open/r": 0, "echo x >/open/new": 1, "echo x >/tmp/own && rm /tmp/own": 0, "rm -f /tmp/roots": 1,
		"mkdir /etc/d": 1, "chmod 777 /open/r": 1, "[ -r /desk/f ]": 1, "[ -w /open/r ]": 1, "cd /secret": 1, "mv /open/r /tmp": 1, "[ -e /secret/f ]": 1,
	} {
		if _, errs, code := runIn(t, user, script); code != want && (want == 0 || code == 0) {
			t.Errorf("%s: status %d, want %d; %s", script, code, want, errs)
		}
	}
}

// TestClaim: of any number of mkdirs at once exactly one succeeds.
func TestClaim(t *testing.T) {
	p := newBox(t)
	var mu sync.Mutex
	won := 0
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			child := p.Child()
			var out, errs bytes.Buffer
			child.Out, child.Err = &out, &errs
			if child.Shell(t.Context(), posix.Script{Name: "sh", Source: []byte("mkdir /desk/lock 2>/dev/null && echo $$ >/desk/lock/owner")}) == 0 {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Errorf("%d processes made the same folder", won)
	}
}

func TestKilledWithItsHost(t *testing.T) {
	p := newBox(t)
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	p.Out, p.Err = &out, &out
	ended := make(chan int)
	go func() {
		ended <- p.Shell(ctx, posix.Script{Name: "sh", Source: []byte("sleep 3600; echo never")})
	}()
	cancel()
	if code := <-ended; code != 137 || out.Len() > 0 {
		t.Errorf("status %d, output %q", code, out.String())
	}
}

func FuzzCheck(f *testing.F) {
	for _, script := range subset() {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 4096 {
			return
		}
		for _, found := range posix.Check("f", []byte(script)) {
			if found == "" {
				t.Error("an empty finding")
			}
		}
	})
}
