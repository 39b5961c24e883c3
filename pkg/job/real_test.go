package job

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
	"github.com/patchring/patchring/pkg/remote"
)

// realHost runs commands as root on a host with a real systemd.
type realHost struct {
	t *testing.T
	*real.Host
}

func (h realHost) run(c remote.Command) remote.Result {
	h.t.Helper()
	feed := []string{"sh", "-c", `in=$1; shift; printf '%s' "$in" | "$@"`, "feed", string(c.Stdin)}
	out, err := h.Exec(append(feed, c.Argv...)...)
	if err != nil {
		return remote.Result{Ending: remote.Exited, Code: 1, Err: []byte(err.Error())}
	}
	return remote.Result{Ending: remote.Exited, Out: []byte(out)}
}

func (h realHost) start(s Spec) {
	h.t.Helper()
	c, err := Start(s)
	if err != nil {
		h.t.Fatal(err)
	}
	if r := h.run(c); !r.OK() {
		h.t.Fatalf("start %s: %s", s.ID, r.Err)
	}
}

func (h realHost) stands(id string, wait time.Duration, want State, code int, last string) {
	h.t.Helper()
	if s := Read(h.run(Look(id, wait))); s.State != want || s.Code != code || s.Last() != last {
		h.t.Errorf("%s: want %s %d %q, got %+v", id, want, code, last, s)
	}
}

// With a real systemd: a job outlives a daemon-reload, a stop of its unit and a
// signal; what it started outlives the job; a polite reboot waits for its end; and
// one by force leaves it interrupted.
func TestJobUnderRealSystemd(t *testing.T) {
	h := realHost{t, real.New(t).Host("h")}
	h.Ready()
	h.start(Spec{ID: "a", Inhibit: true, Env: []string{"X=y z"}, Argv: []string{"sh", "-c", `echo "$0 $X"; (sleep 300 &); sleep 8; echo end; exit 5`, "%n $$ ${X}"}})
	h.stands("a", 2*time.Second, Running, 0, "%n $$ ${X} y z")
	if list := h.Must("systemd-inhibit", "--list", "--no-pager"); !strings.Contains(list, "patchring is at work") {
		t.Errorf("nothing holds off a shutdown: %s", list)
	}
	h.Must("systemctl", "daemon-reload")
	h.Must("systemctl", "kill", "--kill-who=main", "patchring-a.service")
	h.Must("systemctl", "stop", "--no-block", "patchring-a.service")
	h.stands("a", long, Exited, 5, "end")
	h.Must("pgrep", "-f", "sleep 300")
	if failed := h.Must("systemctl", "--failed", "--no-legend"); failed != "" {
		t.Errorf("a job that failed is a failed unit: %s", failed)
	}

	boot := h.BootID()
	h.start(Spec{ID: "b", Argv: []string{"sh", "-c", "sleep 4; echo end"}})
	h.Must("systemctl", "reboot")
	h.AwaitBoot(boot)
	h.stands("b", 0, Exited, 0, "end")

	boot = h.BootID()
	h.start(Spec{ID: "c", Argv: []string{"sh", "-c", "echo begun; sleep 300"}})
	h.stands("c", 2*time.Second, Running, 0, "begun")
	h.Must("systemctl", "reboot", "--force", "--force")
	h.AwaitBoot(boot)
	h.stands("c", 0, Interrupted, 0, "begun")
}
