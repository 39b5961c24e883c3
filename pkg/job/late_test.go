package job

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// late gives a start that does not wait long, for a run.sh that begins late: first
// it does what is told.
func (h host) late(s Spec, before, revoke string) remote.Command {
	h.t.Helper()
	c, err := h.at().Start(s)
	if err != nil {
		h.t.Fatal(err)
	}
	script, run := c.Argv[2], c.Argv[len(c.Argv)-1]
	short := strings.Replace(script, "-ge 25", "-ge 2", 1)
	slow := strings.Replace(short, "\nrevoke() {\n", "\nrevoke() {\n"+revoke+"\n", 1)
	if short == script || slow == short {
		h.t.Fatal("start.sh has changed: this test makes it impatient")
	}
	c.Argv[2], c.Argv[len(c.Argv)-1] = slow, before+"\n"+run
	return c
}

// TestLateJobIsCalledOff: a start that failed is not followed by a job that runs.
func TestLateJobIsCalledOff(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		gate := `while [ ! -e "$1/go" ]; do sleep 0.1; done; : >"$1/went"`
		if r := h.run(h.late(spec, gate, ":")); r.Code != 70 || !strings.Contains(string(r.Err), "called off") {
			t.Fatalf("start: %+v %s", r, r.Err)
		}
		if s := h.stands("a", 0, Revoked); !strings.Contains(s.Reason, "nothing ran") {
			t.Errorf("got %+v", s)
		}
		h.refused(spec, 71, "will not run")
		h.write("", "a", "go")
		for range 100 {
			if _, err := os.Stat(h.file("a", "went")); err == nil {
				break
			}
			<-time.After(50 * time.Millisecond)
		}
		<-time.After(300 * time.Millisecond)
		h.read("a", "went")
		if count() != 0 {
			t.Error("it ran after it was reported as failed")
		}
		h.stands("a", 0, Revoked)
	})
}

// TestJobThatBeginsAtTheLastMoment is one that was started: the start can't have the
// right to run any more.
func TestJobThatBeginsAtTheLastMoment(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		gate := `while [ ! -e "$1/go" ]; do sleep 0.1; done`
		hurry := `: >"$dir/go"; while [ ! -d "$dir/started" ]; do sleep 0.1; done`
		if r := h.run(h.late(spec, gate, hurry)); r.Code != 0 || strings.TrimSpace(string(r.Out)) != "started" {
			t.Fatalf("start: %+v %s", r, r.Err)
		}
		h.stands("a", long, Exited)
		if count() != 1 {
			t.Errorf("ran %d times", count())
		}
	})
}
