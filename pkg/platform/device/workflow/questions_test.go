package workflow

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform/device"
)

// families are the definitions that upgrade.
func families(t *testing.T) []*device.Platform {
	t.Helper()
	library, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var list []*device.Platform
	for _, p := range library.All() {
		if len(p.Definition.Upgrade) > 0 {
			list = append(list, p)
		}
	}
	if len(list) < 6 {
		t.Fatalf("only %d definitions upgrade", len(list))
	}
	return list
}

// TestOneKeyIsOneKey: where a device takes a single key, an Enter behind it would answer
// whatever it asks next. What is to be confirmed gets the Enter alone, and a word that is to
// be typed out gets its Enter.
func TestOneKeyIsOneKey(t *testing.T) {
	for _, p := range families(t) {
		for _, e := range p.Definition.Questions.Entries {
			for _, q := range e.Value {
				asked := strings.TrimSpace(q.Sample)
				one := strings.HasSuffix(asked, "[y/n]") || strings.HasSuffix(asked, "(y/n)") || strings.HasSuffix(asked, "{y|n}:")
				word := strings.Contains(asked, "[yes,no]") || strings.Contains(asked, "[yes/no]")
				switch {
				case asked == "":
					t.Errorf("%s: %s has a question without a sample", p.Name(), e.Key)
				case one && (!q.Key || q.Send != "y"), word && (q.Key || q.Send != "yes"):
					t.Errorf("%s: %q of %s is answered with %q, key %v", p.Name(), asked, e.Key, q.Send, q.Key)
				case !one && !word && (q.Key || q.Send != ""):
					t.Errorf("%s: %q of %s is answered with %q, and not with Enter alone", p.Name(), asked, e.Key, q.Send)
				}
			}
		}
	}
}
