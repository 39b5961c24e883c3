package detect

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

// parrot says the same to everything, over exec and on its console.
type parrot struct {
	result remote.Result
	asked  int
}

func (p *parrot) Run(context.Context, remote.Command) (remote.Result, error) {
	p.asked++
	return p.result, nil
}

func (p *parrot) Exchange(context.Context, remote.Exchange) (remote.Result, error) {
	p.asked++
	return p.result, nil
}

// FuzzHost: whatever a host says, it is bounded and clean what comes of it, and what is
// not recognised says why.
func FuzzHost(f *testing.F) {
	all, err := device.Embedded()
	if err != nil {
		f.Skipf("a definition is wrong, its own test tells: %v", err)
	}
	f.Add([]byte("Cisco IOS XE Software, Version 17.12.04\nsw1#"), uint8(remote.Done))
	f.Add([]byte("patchring-report 1 n\n@n begin identity\nuid=0\nmarks= /usr/bin/tmsh\n@n status 0\n@n end identity\n@n whole\n"), uint8(remote.Done))
	f.Add([]byte("productversion=\"7\"\nbuildnumber=\"1\"\nsmallfixnumber=\"\"\n\x1b[2J"), uint8(remote.Asked))
	f.Fuzz(func(t *testing.T, out []byte, ending uint8) {
		p := &parrot{result: remote.Result{Ending: remote.Ending(ending % 8), Out: out}}
		s := remote.ReadOnly(remote.Session{Runner: p, Console: p}, remote.Reads)
		facts, err := Host(t.Context(), s, bare, web, now, Query{Library: all})
		if err != nil {
			return
		}
		if facts.Platform == "" && !problem(facts, "platform") {
			t.Errorf("unknown, and nobody says why: %+v", facts)
		}
		if p.asked > 60 {
			t.Errorf("%d questions", p.asked)
		}
		text := fmt.Sprint(facts.Problems, facts.Platform, facts.Version, facts.Model, facts.Serial, facts.Hostname)
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("not cleaned: %q", text)
		}
	})
}
