package health

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/remote"
)

func conffiles(paths ...string) Check { return Check{Conffiles: &Conffiles{Paths: paths}} }

func TestJudgeConffiles(t *testing.T) {
	long := "/etc/" + strings.Repeat("x", 4000) + ".rpmnew\n"
	six := "/etc/1.pacnew\n/etc/2.pacnew\n/etc/3.pacnew\n/etc/4.pacnew\n/etc/5.pacnew\n/etc/6.pacnew\n"
	for name, c := range map[string]struct {
		frame remote.Frame
		want  Verdict
		seen  string
	}{
		"none":            {frame(0, "none\n"), Pass, "nothing was left beside"},
		"one":             {frame(0, "/etc/a.dpkg-dist\n"), Fail, "left to be merged: /etc/a.dpkg-dist"},
		"two, unsorted":   {frame(0, "/etc/b.rpmnew\n/etc/a b.apk-new\n/etc/b.rpmnew\n"), Fail, "left to be merged: /etc/a b.apk-new, /etc/b.rpmnew"},
		"more than shown": {frame(0, six), Fail, "/etc/4.pacnew, /etc/5.pacnew and more"},
		"hostile name":    {frame(0, "/etc/\x1b[2J.ucf-dist\n"), Fail, `left to be merged: /etc/\x1b[2J.ucf-dist`},
		"long names":      {frame(0, strings.Repeat(long, 6)), Fail, "xxx…"},
		"found in part":   {frame(1, "find: '/etc/x': Permission denied\n/etc/a.rpmsave\n"), Fail, "left to be merged: /etc/a.rpmsave"},
		"closed":          {frame(1, "find: '/etc/x': Permission denied\n"), Unknown, "not all could be looked at: find: '/etc/x': Permission denied"},
		"none, but not 0": {frame(1, "none\n"), Unknown, "not all"},
		"none, and more":  {frame(0, "find: what\nnone\n"), Unknown, "not all"},
		"out of time":     {frame(124, ""), Unknown, "did not end in time"},
		"killed":          {frame(137, ""), Unknown, "exit status 137"},
		"no find":         {frame(127, "find is not on this host\n"), Unknown, "find is not on this host"},
		"nothing said":    {frame(0, ""), Unknown, "exit status 0"},
		"another case":    {frame(0, "/etc/a.RPMNEW\n"), Unknown, "not all"},
		"not a path":      {frame(0, "a.rpmnew\n"), Unknown, "not all"},
	} {
		verdict, seen := judge(conffiles("/etc"), Vars{}, c.frame)
		if verdict != c.want || !strings.Contains(seen, c.seen) {
			t.Errorf("%s: want %s %q, got %s %q", name, c.want, c.seen, verdict, seen)
		}
	}
}

func FuzzConffiles(f *testing.F) {
	for _, body := range []string{"none\n", "/etc/a.dpkg-dist\n/etc/b.rpmnew\n", "find: '/x': Permission denied\n", "/etc/\xff\x1b.pacnew", ""} {
		f.Add(0, []byte(body))
		f.Add(1, []byte(body))
	}
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		verdict, seen := judgeConffiles(remote.Frame{Body: body, Code: code})
		if verdict == Pass && (code != 0 || strings.TrimSpace(string(body)) != "none") {
			t.Errorf("passed with status %d: %q", code, body)
		}
		if (verdict == Fail) != (len(leftFiles(body)) > 0) {
			t.Errorf("%s for %q", verdict, body)
		}
		if strings.ContainsFunc(seen, unicode.IsControl) || len(seen) > 2*seenBytes || seen == "" {
			t.Errorf("not clean: %q", seen)
		}
	})
}

func TestConffilesAreAskedAsMeant(t *testing.T) {
	c := conffiles("/etc/nginx//", "/", "/etc/x/../ssh/sshd_config")
	if got := (Round{}).words(c); !slices.Equal(got, []string{"check_conffiles", "10", "/etc/nginx", "/", "/etc/ssh/sshd_config"}) {
		t.Errorf("got %q", got)
	}
	if !c.AsRoot() || !c.OnHost() || c.Conffiles.Paths[0] != "/etc/nginx//" {
		t.Errorf("got %+v", c)
	}
	for want, c := range map[string]Check{
		"conffiles /etc/a": conffiles("/etc/a"), "conffiles /etc/a and 2 more": conffiles("/etc/a", "/b", "/c"), "conffiles": conffiles(),
	} {
		if got := CheckName(c); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
	for _, bad := range []Check{conffiles(), conffiles(""), conffiles("/etc", "etc"), conffiles("/a\x00b"), conffiles("-delete")} {
		if got, err := bad.Fill(Vars{}); err == nil {
			t.Errorf("got %+v", got.Conffiles)
		}
	}
}

// Both lists say the same, each kind at both places of the script.
func TestScriptKnowsTheEndings(t *testing.T) {
	for _, ending := range leftEndings() {
		if strings.Count(script, "'*"+ending+"'") != 1 || strings.Count(script, " "+ending) != 1 {
			t.Errorf("the script does not look for %s once at each place", ending)
		}
	}
}

// tree makes files, folders (they end in a slash) and links ("from>to") below a folder.
func tree(t *testing.T, entries ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name, to, link := strings.Cut(entry, ">")
		at := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(at), 0o700)
		switch {
		case err != nil:
		case link:
			err = os.Symlink(to, at)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(at, 0o700)
		default:
			err = os.WriteFile(at, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestScriptFindsWhatWasLeft(t *testing.T) {
	root := tree(t, "web/site.conf", "web/site.conf.bak", "web/old.rpmsave/kept", "web/A.RPMNEW", "empty/",
		"left/deep/er/a b.dpkg-dist", "left/x.pacnew>nowhere", "link>left", "file", "file.apk-new", "gone.rpmsave", "dangling>nowhere",
		"-delete/a.ucf-dist", "*/b.rpmnew", "two\nlines/c.pacsave", "folder.rpmnew/", "folder",
		"many/1.dpkg-new", "many/2.dpkg-new", "many/3.dpkg-new", "many/4.dpkg-new", "many/5.dpkg-new", "many/6.dpkg-new", "many/7.dpkg-new")
	at := func(names ...string) Check {
		for i := range names {
			names[i] = root + "/" + names[i]
		}
		return conffiles(names...)
	}
	for name, c := range map[string]struct {
		check Check
		want  string
	}{
		"clean":             {at("web"), "pass nothing was left"},
		"empty":             {at("empty"), "pass"},
		"below":             {at("empty", "left"), fmt.Sprintf("fail left to be merged: %[1]s/left/deep/er/a b.dpkg-dist, %[1]s/left/x.pacnew", root)},
		"a slash behind":    {at("left/"), "fail"},
		"behind a link":     {at("link"), fmt.Sprintf("fail left to be merged: %s/left/deep", root)},
		"beside a file":     {at("file"), fmt.Sprintf("fail left to be merged: %s/file.apk-new", root)},
		"of a removed file": {at("gone"), fmt.Sprintf("fail left to be merged: %s/gone.rpmsave", root)},
		"a folder is none":  {at("folder"), "pass"},
		"not there":         {at("no/such"), "pass"},
		"below a file":      {at("file/x"), "pass"},
		"there and not":     {at("no/such", "web"), "pass"},
		"link to nowhere":   {at("dangling"), "unknown leads nowhere"},
		"nowhere, but left": {at("dangling", "left"), "fail left to be merged"},
		"an option's name":  {at("-delete"), "fail a.ucf-dist"},
		"a pattern's name":  {at("*"), fmt.Sprintf("fail left to be merged: %s/*/b.rpmnew", root)},
		"two lines":         {at("two\nlines"), "unknown lines/c.pacsave"},
		"many":              {at("many", "many"), fmt.Sprintf("fail %s/many/5.dpkg-new and more", root)},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(m *machine) { m.want(m.ask(Round{Checks: []Check{c.check}}).Results, c.want) })
		})
	}
}

// What can't be looked at is never a pass. Tests may run as root, to whom nothing is
// closed, and so tools of the test's own say what hosts would.
func TestScriptTellsWhatItCanNotSee(t *testing.T) {
	root := tree(t, "web/site.conf", "left/a.rpmnew")
	for name, c := range map[string]struct{ tool, does, path, want string }{
		"a closed folder below": {"find", `echo "find: '$1/x': Permission denied" >&2; exit 1`, "web", "unknown Permission denied"},
		"closed, but left":      {"find", `echo "$1/a.rpmnew"; echo "find: '$1/x': Permission denied" >&2; exit 1`, "left", "fail a.rpmnew"},
		"find hangs":            {"find", `exec sleep 30`, "web", "unknown did not end in time"},
		"find is broken":        {"find", `exit 126`, "web", "unknown exit status 126"},
		"a closed path":         {"ls", `echo "ls: cannot access '$2': Permission denied"; exit 2`, "none", "unknown Permission denied"},
		"ls is broken":          {"ls", `echo "/bin/ls: cannot execute: No such file or directory"; exit 127`, "none", "unknown cannot execute"},
		"sort is broken":        {"sort", `exit 1`, "left", "unknown exit status 0"},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(m *machine) {
				m.tool(c.tool, c.does)
				check := conffiles(root + "/" + c.path)
				check.Within = time.Second
				m.want(m.ask(Round{Checks: []Check{check}}).Results, c.want)
			})
		})
	}
	eachShell(t, func(m *machine) {
		m.only("find", "ls", "sort")
		m.needs("find")
		if err := os.Remove(filepath.Join(m.bin, "find")); err != nil {
			m.t.Fatal(err)
		}
		m.want(m.ask(Round{Checks: []Check{conffiles(root)}}).Results, "unknown find is not on this host")
	})
}

// The simulated hosts answer as real ones, to root and to a user.
func TestConffilesOnSimulatedHosts(t *testing.T) {
	fleet, err := lab.Start(t.Context(), lab.Spec{Version: 1, Hosts: []lab.HostSpec{{Name: "h", OS: "debian-12"}, {Name: "r", OS: "rocky-9"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	const prepare = `mkdir -p /etc/web/sites /etc/clean && mkdir -m 700 /etc/closed && : >/etc/web/sites/a.dpkg-dist && : >/etc/closed/b.rpmnew &&
		: >/etc/clean/ok && : >/etc/file && : >/etc/file.pacnew && ln -s web /etc/link`
	for _, name := range []string{"h", "r"} {
		m := fleet.Host(name).Machine()
		if out := run(t, m.Console(), []string{"sh", "-c", prepare}, nil); out != "" {
			t.Errorf("%s: %s", name, out)
		}
		round := Round{Nonce: "abc", Checks: []Check{conffiles("/etc/clean", "/no/such"), conffiles("/etc/web"), conffiles("/etc/link"), conffiles("/etc/file"), conffiles("/etc/closed")}}
		for who, p := range map[string]*posix.Proc{"pass fail fail fail fail": m.Console(), "pass fail fail fail unknown": m.Login()} {
			c := round.Command()
			out := run(t, p, c.Argv, c.Stdin)
			got := round.Read(remote.Result{Ending: remote.Exited, Out: []byte(out)}, time.Unix(0, 0))
			for i, want := range strings.Fields(who) {
				if r := got.Results[i]; r.Verdict.String() != want {
					t.Errorf("%s: want %s, got %+v", name, want, r)
				}
			}
		}
	}
}

// run gives what the process prints, all of it.
func run(t *testing.T, p *posix.Proc, argv []string, in []byte) string {
	t.Helper()
	var out bytes.Buffer
	p.In, p.Out, p.Err = bytes.NewReader(in), &out, &out
	p.Exec(t.Context(), argv)
	return out.String()
}
