package apk_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// machine is a simulated host without its SSH server, in the test's own time.
type machine struct {
	t *testing.T
	*lab.Machine
}

func newMachine(t *testing.T, conf lab.Config) *machine {
	t.Helper()
	m := &machine{t: t}
	conf.Name, conf.OS = "x", "alpine-3.20"
	inner, err := lab.New(conf, m)
	if err != nil {
		t.Fatal(err)
	}
	m.Machine = inner
	m.Boot(t.Context())
	t.Cleanup(m.Halt)
	return m
}

// Reboot of lab.Power: the machine asks from within one of its own programs.
func (m *machine) Reboot(bool) {
	go func() {
		m.Halt()
		m.Boot(m.t.Context())
	}()
}

// Event of lab.Power.
func (*machine) Event(string) {}

func (m *machine) run(c remote.Command) remote.Result {
	p := m.Console()
	var out, errs bytes.Buffer
	p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
	code := p.Exec(m.t.Context(), c.Argv)
	return remote.Result{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}
}

func (m *machine) detect(packages ...string) fact.Facts {
	m.t.Helper()
	probe := managers().Probe(platform.Query{Nonce: "0f", Refresh: true, Packages: packages, Offers: true})[0]
	f, err := managers().Read([]remote.Result{m.run(probe)})
	if err != nil {
		m.t.Fatal(err)
	}
	f.Host = fact.HostID{Site: "hq", Name: "web"}
	for _, what := range m.Complaints() {
		m.t.Errorf("not simulated: %s", what)
	}
	return f
}

// perform is the interpreter in small: look → do → look, until it stands.
func (m *machine) perform(s platform.Step) platform.Standing {
	m.t.Helper()
	did := false
	for range 90 {
		var results []remote.Result
		for _, op := range s.Look.Do {
			results = append(results, m.run(*op.Command))
		}
		got := s.Look.Judge(results)
		if got.State != platform.NotDone && got.State != platform.Running {
			return got
		}
		if got.State == platform.NotDone && !did {
			did = true
			for _, op := range s.Do {
				if r := m.run(*op.Command); !r.OK() {
					m.t.Errorf("%s: %d %s%s", s.ID, r.Code, r.Out, r.Err)
				}
			}
		}
		<-time.After(time.Second) // the test's own time
	}
	m.t.Fatalf("%s does not end", s.ID)
	return platform.Standing{}
}

// all performs all steps, up to the first that is not done, and gives all notes.
func (m *machine) all(f fact.Facts, w patch.Work) (platform.StepID, platform.Standing, string) {
	m.t.Helper()
	steps, err := alpine().Steps(f, w)
	if err != nil {
		m.t.Fatal(err)
	}
	var got platform.Standing
	var notes []string
	for _, s := range steps {
		got = m.perform(s)
		notes = append(notes, got.Notes...)
		if got.State != platform.Done {
			return s.ID, got, strings.Join(notes, "\n")
		}
	}
	return "", got, strings.Join(notes, "\n")
}
