package linux_test

import (
	"testing"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
	"github.com/patchring/patchring/pkg/remote"
)

// FuzzJudges: whatever a host prints, a judge says why it is not content, cleanly,
// and never panics. None is content with an answer that is not whole.
func FuzzJudges(f *testing.F) {
	for _, name := range []string{"preflight-apt", "preflight-apt-locked", "preflight-dnf", "after-apt-conffile", "after-dnf-scriptlet"} {
		f.Add(recorded(f, name).Out, []byte("patchring-job 1\nstate exited\ncode 0\nboot b\nwhy \nlog\n"))
	}
	f.Add(linux.LockSays("held", `{"rollout":"r1"}`).Out, jobSays("running", "", "", "x").Out)
	f.Add(rebootSays("boot-2", "running", "").Out, []byte{})
	steps, err := driverOf(apt.Debian).Steps(debian(), aptWork())
	if err != nil {
		f.Fatal(err)
	}
	more, err := driverOf(dnf.RHEL).Steps(rocky(), dnfWork())
	if err != nil {
		f.Fatal(err)
	}
	steps = append(append(steps, more...), driverOf(apt.Debian).Lock(linux.Web, linux.OwnerOf("r1")), driverOf(apt.Debian).Unlock(linux.Web, linux.OwnerOf("r1")))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, s := range steps {
			results := []remote.Result{{Ending: remote.Exited, Out: a}}
			if len(s.Look.Do) == 2 {
				results = []remote.Result{{Ending: remote.Exited, Out: b}, {Ending: remote.Exited, Out: a}}
			}
			got := s.Look.Judge(results)
			linux.Standing(t, got, got.State, "")
			last := &results[len(results)-1]
			last.Truncated = true
			if again := s.Look.Judge(results); again.State == platform.Done {
				t.Errorf("%s is done by an answer that is not whole", s.ID)
			}
		}
	})
}
