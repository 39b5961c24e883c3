package workflow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// xeWithout is the stack by a definition that goes on without its timer.
func xeWithout(t *testing.T) *gear {
	t.Helper()
	g := xeStack(t)
	src, err := os.ReadFile(filepath.Join("..", "definitions", "cisco_iosxe.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(src), "values: {good: Ready, absent: 'Invalid input', tidy", `values: {net_required: "no", good: Ready, absent: 'Invalid input', tidy`, 1)
	if g.platform, err = device.Parse("cisco_iosxe.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestTimerNotArmed: nothing is committed where nothing would take it back by itself, unless
// the definition says that it may be done without.
func TestTimerNotArmed(t *testing.T) {
	inactive := func(g *gear) { g.xeBoots().say(xeSummary, "active , time before rollback - 01:35:12", "inactive") }
	for _, tt := range []struct {
		name string
		gear *gear
		edit func(*gear)
		want platform.State
		word string
	}{
		{"needed", xeStack(t), inactive, platform.Unknown, `or "install abort" to go back`},
		{"not needed", xeWithout(t), inactive, platform.Done, "not relied upon"},
		{"not needed, and armed", xeWithout(t), func(g *gear) { g.xeBoots() }, platform.Done, "armed, with 1h35m12s left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps := tt.gear.steps(tt.gear.image(xeNew, xeFile, vendor))
			tt.edit(tt.gear)
			stands(t, tt.gear.judge(steps, "proven"), tt.want, tt.word)
			stands(t, tt.gear.judge(steps, "commit"), platform.NotDone, "not committed")
		})
	}
}
