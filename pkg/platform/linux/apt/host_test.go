package apt

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// host is whatever runs the commands: a simulated machine, or a real system in a folder.
type host struct {
	t   *testing.T
	run func(remote.Command) remote.Result
}

// shell runs a line as root there, and gives what it printed.
func (h host) shell(line string) string {
	r := h.run(remote.Command{Argv: []string{"sh", "-c", line}})
	return strings.TrimSpace(string(r.Out))
}

func (h host) detect(packages ...string) fact.Facts {
	h.t.Helper()
	probe := managers().Probe(platform.Query{Nonce: "0f", Refresh: true, Offers: true, Packages: packages})[0]
	f, err := managers().Read([]remote.Result{h.run(probe)})
	if err != nil {
		h.t.Fatal(err)
	}
	f.Host = fact.HostID{Site: "hq", Name: "x"}
	return f
}

// carry carries the work through its steps until one of them does not end well.
func (h host) carry(w patch.Work) platform.Standing {
	h.t.Helper()
	w.Reboot = patch.RebootNever
	steps, err := driver(h.t).Steps(h.detect(), w)
	if err != nil {
		h.t.Fatal(err)
	}
	var all platform.Standing
	for _, s := range steps {
		got := h.perform(s)
		all.State, all.Reasons, all.Notes = got.State, got.Reasons, append(all.Notes, got.Notes...)
		if got.State != platform.Done {
			return all
		}
	}
	return all
}

// perform is the interpreter in small: look → do → look, until it stands.
func (h host) perform(s platform.Step) platform.Standing {
	h.t.Helper()
	for range 90 {
		var results []remote.Result
		for _, op := range s.Look.Do {
			results = append(results, h.run(*op.Command))
		}
		got := s.Look.Judge(results)
		if got.State == platform.NotDone {
			for _, op := range s.Do {
				h.run(*op.Command)
			}
		} else if got.State != platform.Running {
			return got
		}
		<-time.After(time.Second) // where a test has a time of its own, of that
	}
	h.t.Fatalf("%s does not end", s.ID)
	return platform.Standing{}
}
