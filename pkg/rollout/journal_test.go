package rollout

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A journal that the first format's patchring wrote, before there were gates that wait,
// budgets and retries: it must mean the same for ever.
func TestOldJournal(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "journal.v1.txt"))
	if err != nil {
		t.Fatal(err)
	}
	s := &State{}
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		e := eventOf(t, line)
		e.Seq = uint64(i) + 1
		if err := s.Fold(e); err != nil {
			t.Fatal(err)
		}
		_, again, err := Marshal(e.Entry)
		if err != nil || !strings.HasSuffix(line, string(again)) {
			t.Errorf("event %d is written as %s, and stands there as %s: %v", i+1, again, line, err)
		}
		s.Decide(Moment{Now: e.Time})
	}
	var got bytes.Buffer
	st := s.Status(time.Time{})
	for _, r := range st.Rings {
		fmt.Fprintln(&got, r.Name, r.Gate, r.ByState)
	}
	for _, h := range st.Hosts {
		fmt.Fprintln(&got, h.ID.Name, h.State, h.Touched, h.Try, strings.Join(h.Reasons, "; "), "|", strings.Join(h.Notes, "; "))
	}
	want := `test open map[failed:1 healthy:1 nothing:1]
production open map[healthy:1 unknown:1 unreachable:1 waiting:1]
a healthy true 1  |
b failed true 1 as the script says |
idle nothing false 1  |
c healthy true 1  |
d unknown true 1 as the script says | patchring's lock is still on the host
e waiting false 1  |
gone unreachable false 1 no answer | is it up?
`
	if text := strings.ReplaceAll(got.String(), "| \n", "|\n"); text != want || st.Phase != PhaseAborted || st.Reasons[0] != "wrong month" {
		t.Errorf("it is %s because of %q:\n%swant\n%s", st.Phase, st.Reasons, text, want)
	}
}

// eventOf reads "time kind payload".
func eventOf(t *testing.T, line string) Event {
	t.Helper()
	at, rest, _ := strings.Cut(line, " ")
	kind, payload, _ := strings.Cut(rest, " ")
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Unmarshal(kind, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return Event{Time: when, Entry: e}
}
