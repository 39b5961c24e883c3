package report

import (
	"strings"
	"testing"
)

func sampleRights() Rights {
	file := func(host, rules string, root bool) RootFile {
		return RootFile{Hosts: []string{host}, User: "patch", Means: "sudo", Path: "/etc/sudoers.d/patchring", Root: root, Needs: []string{"jobs"}, Rules: rules}
	}
	shell := "Defaults:patch !requiretty\npatch ALL=(root) NOPASSWD: /bin/sh\n"
	return NewRights(
		[]RootFile{file("hq/a", shell, true), file("hq/lb", "patch ALL=(root) NOPASSWD: /opt/lb drain\n", false), file("hq/b", shell, true)},
		[]NoFile{{Host: "hq/sw", Why: "a device"}, {Host: "hq/x", Why: "the inventory does not say who logs in", Stop: true}},
	)
}

func TestRightsAreSaidOnce(t *testing.T) {
	d := sampleRights()
	if len(d.Files) != 2 || strings.Join(d.Files[0].Hosts, " ") != "hq/a hq/b" || d.Exit.Code != ExitNeedsPerson || !strings.Contains(d.Exit.Why, "hq/x") {
		t.Errorf("%+v", d)
	}
	text := d.Text()
	for _, want := range []string{
		"# /etc/sudoers.d/patchring on hq/a, hq/b; owner root, mode 0440", "#   - jobs\n", "is root there",
		"may run these commands as root", "patch ALL=(root) NOPASSWD: /opt/lb drain\n", "# hq/sw: a device\n",
	} {
		if !strings.Contains(strings.ReplaceAll(text, "\n# is", " is"), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown} {
		if out := string(render(t, d, f, Options{Width: 80})); !strings.Contains(out, "/opt/lb drain") {
			t.Errorf("%s lacks the rules:\n%s", f, out)
		}
	}
}

// FuzzRights: whatever stands in names and reasons, the file has the rules that were made, and
// beside them nothing that sudo would read.
func FuzzRights(f *testing.F) {
	f.Add("hq/web-01", "the hook x", "patch")
	f.Add("a\nroot ALL=(ALL) ALL", "#include /tmp/x", `CORP\`)
	f.Add("1000 ALL=(ALL) ALL\\", "\r\n%wheel ALL=(ALL) ALL", "\u2028@include /tmp/x")
	f.Fuzz(func(t *testing.T, host, need, user string) {
		const rules = "patch ALL=(root) NOPASSWD: /bin/sh\n"
		d := NewRights([]RootFile{{Hosts: []string{host}, User: user, Means: "sudo", Path: "/etc/sudoers.d/patchring", Root: true, Needs: []string{need}, Narrower: []string{need}, Rules: rules}}, []NoFile{{Host: host, Why: need}})
		found := 0
		for line := range strings.Lines(d.Text()) {
			switch {
			case line == rules:
				found++
			case !strings.HasPrefix(line, "# ") && line != "#\n", strings.HasSuffix(strings.TrimSuffix(line, "\n"), `\`), strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\r\n\u2028"):
				t.Errorf("sudo may read %q", line)
			}
		}
		if found != 1 {
			t.Errorf("the rule stands there %d times", found)
		}
	})
}
