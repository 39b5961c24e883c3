package remote_test

import (
	"context"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

func TestQuote(t *testing.T) {
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"true"}, "true"},
		{[]string{"apt-get", "install", "nginx=1.2-3~deb12"}, "apt-get install 'nginx=1.2-3~deb12'"},
		{[]string{"echo", ""}, "echo ''"},
		{[]string{"echo", "it's"}, `echo 'it'\''s'`},
		{[]string{"echo", "$(id)", "`id`", "a\nb"}, "echo '$(id)' '`id`' 'a\nb'"},
	} {
		if got := remote.Quote(c.argv); got != c.want {
			t.Errorf("Quote(%q) = %s, want %s", c.argv, got, c.want)
		}
	}
}

// The oracle: a real shell must see exactly argv.
func FuzzQuote(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("needs sh: not found")
	}
	f.Add("it's", "a b")
	f.Add("$(id)", "~root")
	f.Add("-n", "\\'\"")
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsRune(a+b, 0) {
			return // argv can't hold NUL
		}
		line := remote.Quote([]string{"printf", `%s\0`, a, b})
		out, err := exec.CommandContext(t.Context(), sh, "-c", line).Output()
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if want := a + "\x00" + b + "\x00"; string(out) != want {
			t.Fatalf("the shell saw %q, want %q", out, want)
		}
	})
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                   "plain",
		"a\x1b[2Jb":               `a\x1b[2Jb`,
		"one\ntwo\tthree":         "one two three",
		"right\u202eleft":         `right\xe2\x80\xaeleft`,
		"bad\xffutf8":             `bad\xffutf8`,
		"line\u2028sep":           `line\xe2\x80\xa8sep`,
		"next\u0085line":          `next\xc2\x85line`,
		"a\U000e0041b":            `a\xf3\xa0\x81\x81b`,
		"a\u2066b\u200bc":         `a\xe2\x81\xa6b\xe2\x80\x8bc`,
		"a\u3164b":                `a\xe3\x85\xa4b`,
		"a\u00a0b\u3000c":         "a b c",
		"e\u0301\u0323 \u0301x":   "e\u0301\u0323 \\xcc\\x81x",
		"\u0301x":                 `\xcc\x81x`,
		"###vso[x] ##[y":          `#\x23#vso[x] \x23#[y`,
		":::set-output name=a::b": `:\x3a:set-output name=a::b`,
		"::1 Foo::Bar a::errors":  "::1 Foo::Bar a::errors",
		"##TeamCity[x":            `\x23#TeamCity[x`,
		strings.Repeat("é", 100):  strings.Repeat("é", 18) + "…",
	} {
		if got := remote.Clean(in, 40); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCleanBoundsAccents: a heap of them would run over the lines above and below.
func TestCleanBoundsAccents(t *testing.T) {
	got := remote.Clean("a"+strings.Repeat("\u0300", 50), 1000)
	if n := strings.Count(got, "\u0300"); n != 4 || !strings.HasSuffix(got, strings.Repeat(`\xcc\x80`, 46)) {
		t.Errorf("%d of them are left: %q", n, got)
	}
}

// command is what CI servers look for, by a second way of looking.
var command = regexp.MustCompile(`(?i)##(vso|teamcity)?\[|::(set-output|save-state|set-env|add-path|add-mask|(add|remove)-matcher|warning|error|notice|debug|(end)?group|echo|stop-commands)([ :]|$)`)

func FuzzClean(f *testing.F) {
	f.Add("a\x1b]0;evil\x07", 10)
	f.Add("\u200b\u202e", 3)
	f.Add("##vso[task.setvariable variable=a]b ::add-mask::x ##teamcity[y ::ERROR::", 99)
	f.Add(" \u0301\u0301\u0301\u0301\u0301\u0301a\u0301", 99)
	f.Fuzz(func(t *testing.T, in string, limit int) {
		limit = max(0, min(limit, 1000))
		got := remote.Clean(in, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes, limit %d", len(got), limit)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 {
			t.Fatalf("control or format rune left in %q", got)
		}
		if again := remote.Clean(got, limit); again != got {
			t.Fatalf("cleaned again %q is %q", got, again)
		}
		if command.MatchString(got) {
			t.Fatalf("a CI server obeys %q", got)
		}
	})
}

func TestCleanLinesKeepsTheLastOnes(t *testing.T) {
	got := remote.CleanLines("a\n\nb\nc\x00\n", 2, 20)
	if want := []string{"b", `c\x00`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

type nothing struct{ ran int }

func (n *nothing) Run(context.Context, remote.Command) (remote.Result, error) {
	n.ran++
	return remote.Result{Ending: remote.Exited}, nil
}

func (n *nothing) Exchange(context.Context, remote.Exchange) (remote.Result, error) {
	n.ran++
	return remote.Result{}, nil
}

func (n *nothing) Put(context.Context, string, io.Reader, patch.Digest) error {
	n.ran++
	return nil
}

func (n *nothing) Get(context.Context, string, int64) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("")), nil
}

func TestReadOnlyRefusesWhatIsNotMarkedAsReading(t *testing.T) {
	for _, c := range []struct {
		allowed, effect remote.Effect
		ok              bool
	}{
		{remote.Reads, remote.Reads, true},
		{remote.Reads, remote.Refreshes, false},
		{remote.Reads, remote.Changes, false},
		{remote.Refreshes, remote.Reads, true},
		{remote.Refreshes, remote.Refreshes, true},
		{remote.Refreshes, remote.Changes, false},
		{remote.Changes, remote.Changes, false}, // the zero value allows no change either
	} {
		host := &nothing{}
		s := remote.ReadOnly(remote.Session{Runner: host, Console: host, Files: host}, c.allowed)
		_, errRun := s.Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}, Effect: c.effect})
		_, errAsk := s.Console.Exchange(t.Context(), remote.Exchange{Send: "x", Effect: c.effect})
		if (errRun == nil) != c.ok || (errAsk == nil) != c.ok {
			t.Errorf("allowed %d, effect %d: run %v, exchange %v", c.allowed, c.effect, errRun, errAsk)
		}
		if errRun != nil && fault.HintOf(errRun) == "" {
			t.Errorf("no hint in %v", errRun)
		}
		if !c.ok && host.ran != 0 {
			t.Errorf("allowed %d, effect %d reached the host", c.allowed, c.effect)
		}
	}
}

func TestReadOnlyNeverUploadsAndKeepsNilMembers(t *testing.T) {
	host := &nothing{}
	if err := remote.ReadOnly(remote.Session{Files: host}, remote.Refreshes).Files.Put(t.Context(), "/x", nil, ""); err == nil || host.ran != 0 {
		t.Error("an upload got through")
	}
	if s := remote.ReadOnly(remote.Session{}, remote.Reads); s.Runner != nil || s.Console != nil || s.Files != nil {
		t.Error("what a host can't do must stay nil")
	}
}

func TestZeroResultIsNotOK(t *testing.T) {
	if (remote.Result{}).OK() {
		t.Error("a lost connection must not look like success")
	}
	if (remote.Result{Ending: remote.Exited, Truncated: true}).OK() {
		t.Error("a cut output is not whole")
	}
}
