package device

import (
	"os"
	"testing"
)

// TestSamples reads every sample of testdata, made up by hand from vendors' documents.
func TestSamples(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Logf("only %d definitions are right: see TestDefinitions", len(l.All()))
	}
	outcomes, err := l.Test(os.DirFS("testdata/samples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		t.Run(string(o.Platform)+"/"+o.Sample, func(t *testing.T) {
			for _, line := range o.Wrong {
				t.Error(line)
			}
		})
	}
}
