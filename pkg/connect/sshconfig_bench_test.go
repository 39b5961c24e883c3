package connect

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkSSHConfig is what a host costs: patchring reading for itself, and ssh -G.
func BenchmarkSSHConfig(b *testing.B) {
	var own strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&own, "Host h%d\n HostName 10.9.%d.%d\n User patch\n", i, i/250, i%250)
	}
	for _, c := range []struct{ name, text string }{
		{"one block for all", "Host *\n User patch\n IdentityFile ~/.ssh/id\n"},
		{"5000 blocks", own.String()},
		{"ssh -G for each", "Match exec true\n User patch\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			config := realConfig(b, configFile(b, c.text))
			for i := 0; b.Loop(); i++ {
				if s, err := config.lookup(b.Context(), query{name: fmt.Sprint("h", i)}); err != nil || s.refusal != nil {
					b.Fatal(s.refusal, err)
				}
			}
		})
	}
}
