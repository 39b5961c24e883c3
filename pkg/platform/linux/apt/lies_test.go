package apt

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// TestLies holds what apt and dpkg really did on a Debian 12 host, which the scripts are
// written against. Where the words of a newer apt differ, here is where to look first.
func TestLies(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		says   []string
	}{
		// It succeeds, and nobody is told that the hold is gone.
		"hold-cleared": {0, []string{"pr-held\n", "The following held packages will be changed:", "Setting up pr-held (1.1)", "\nnow held: \n"}},
		// DEBIAN_FRONTEND=noninteractive does not keep dpkg from asking.
		"conffile-noninteractive": {100, []string{"What would you like to do about it ?", "end of file on stdin at conffile prompt"}},
		// From then on every other installation fails too.
		"conffile-after":    {100, []string{"pr-conf"}},
		"lock":              {100, []string{"Could not get lock /var/lib/dpkg/lock-frontend. It is held by process"}},
		"interrupted":       {100, []string{"dpkg was interrupted, you must manually run 'dpkg --configure -a'"}},
		"downgrade-refused": {100, []string{"E: Packages were downgraded and -y was used without --allow-downgrades."}},
		"no-download":       {100, []string{"E: Unable to fetch some archives"}},
		"tampered":          {100, []string{"Hash Sum mismatch"}},
		"vanished":          {100, []string{"E: Version '9.9' for 'pr-plain' was not found"}},
		"fail":              {100, []string{"post-installation script subprocess returned error exit status 1"}},
		"check":             {100, []string{"pr-unmet : Depends: pr-nowhere but it is not installable"}},
		// Foreign packages by their own name alone; one for all architectures in each list.
		"madison": {0, []string{
			"pr-plain |        1.2 | http://deb.lab.example/lab main/main amd64 Packages\n  pr-plain |        1.2 | http://deb.lab.example/lab main/main i386 Packages",
			"pr-foreign |        1.1 | http://deb.lab.example/lab main/main amd64 Packages\npr-foreign |        1.0",
			"pr-foreign:i386 |        1.1 | http://deb.lab.example/lab main/main i386 Packages", "pr-epoch |    1:1.1-1 |",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := said(t, name)
			if s.Status != tt.status {
				t.Errorf("exit status %d, want %d", s.Status, tt.status)
			}
			for _, text := range tt.says {
				if !strings.Contains(s.Out, text) {
					t.Errorf("%q is not in\n%s", text, s.Out)
				}
			}
		})
	}
}

// TestNeverPermitted: what makes apt forget a hold, or a signature, is in none of the texts.
func TestNeverPermitted(t *testing.T) {
	for name, text := range map[string]string{"looks": Manager().Script, "acts": Manager().Acts} {
		for _, word := range []string{"--allow-change-held-packages", "--force-yes", "--allow-unauthenticated", "--force-confnew", "--ignore-hold", "--allow-remove-essential", "autoremove", "--purge", "rm -f"} {
			if strings.Contains(text, word) {
				t.Errorf("%s: %s", name, word)
			}
		}
	}
	env := strings.Join(Manager().Env, "\n")
	for _, want := range []string{"NEEDRESTART_SUSPEND=1", "UCF_FORCE_CONFFOLD=1", "DEBIAN_FRONTEND=noninteractive"} {
		if !strings.Contains(env, want) {
			t.Errorf("%s is not among %q", want, env)
		}
	}
}

// TestRefusals: what apt says no to, in words that a person can use.
func TestRefusals(t *testing.T) {
	for name, want := range map[string]string{
		"check": "pr-nowhere", "vanished": "was not found", "downgrade-refused": "downgraded", "hold-cleared": "", "interrupted": "dpkg was interrupted",
	} {
		tr := aptTransaction(fact.Facts{}, patch.Work{}, said(t, name))
		if !strings.Contains(tr.Refused, want) || (tr.Refused == "") != (want == "") {
			t.Errorf("%s: %q, want %q", name, tr.Refused, want)
		}
		clean(t, tr.Refused)
	}
}
