package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestRareBackEnds: each scenario of the way back comes to the end that it is there for.
func TestRareBackEnds(t *testing.T) {
	want := []string{
		"finished a:failed",
		"finished a:rolled_back",
		"halted a:rolled_back",
		"finished a:rolled_back b:healthy c:healthy d:healthy",
		"finished a:healthy",
		"finished a:rolled_back",
	}
	for i, s := range rareBack() {
		w, err := s.run(sound())
		if err != nil {
			t.Errorf("scenario %d: %v", i, err)
		}
		if got := ended(w.ops[0]); !strings.HasPrefix(got, want[i]) {
			t.Errorf("scenario %d: %s, want %s; it waits for %+v", i, got, want[i], w.ops[0].said.Waits)
		}
	}
}

// TestTakingBackEnds: what the crash matrix compares is what should be.
func TestTakingBackEnds(t *testing.T) {
	for name, want := range map[string]string{
		"taking back": "finished a:rolled_back b:rolled_back c:failed d:healthy e:healthy f:healthy",
		"taken back":  "finished a:rolled_back b:rolled_back c:rolled_back",
	} {
		w, err := rich()[name].run(sound())
		if got := ended(w.ops[0]); err != nil || got != want {
			t.Errorf("%s: %s, want %s: %v", name, got, want, err)
		}
	}
}

// ended says how a rollout and its hosts stand.
func ended(o *operator) string {
	all := []string{string(o.phase)}
	var hosts []string
	for _, h := range o.state.Status(o.w.now).Hosts {
		hosts = append(hosts, fmt.Sprintf("%s:%s", h.ID.Name, h.State))
	}
	slices.Sort(hosts)
	return strings.Join(append(all, hosts...), " ")
}
