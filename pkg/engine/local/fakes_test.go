package local

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/store"
)

// world is a fleet of made-up hosts. It counts what was really done to them.
type world struct {
	mu       sync.Mutex
	machines map[fact.HostID]*machine
	probe    string             // what the probe prints
	draw     *rand.Rand         // where set, each command takes a while
	dies     int                // at this command, counted from 1, the process of die dies; 0: never
	die      context.CancelFunc // set with dies
	commands int
}

// machine is one of them. A zero one is well, reachable and not locked.
type machine struct {
	world     *world
	id        fact.HostID
	down      bool
	auth      bool   // nobody may log in
	lock      string // the owner as it was written; empty: nobody
	muddled   bool   // nobody can tell who holds the lock
	installed bool
	probe     string // where it prints something of its own
	sick      bool   // its service has failed
	units     []string
	fails     map[string]int // jobs whose ID holds this word exit so
	loses     int            // so many health rounds lose their connection
	jobs      map[string]int
	effects   []string // in order
	asked     int      // health rounds
	looks     int      // at the lock
}

func newWorld(t *testing.T, names ...string) *world {
	t.Helper()
	raw, err := os.ReadFile("../../platform/linux/testdata/probe-debian.out")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{machines: map[fact.HostID]*machine{}, probe: string(raw)}
	for _, name := range names {
		w.add(name)
	}
	return w
}

func (w *world) add(name string) *machine {
	m := &machine{world: w, id: host(name), jobs: map[string]int{}, fails: map[string]int{}}
	w.machines[m.id] = m
	return m
}

func (w *world) at(name string) *machine { return w.machines[host(name)] }

func host(name string) fact.HostID { return fact.HostID{Site: "hq", Name: name} }

func (w *world) Connect(ctx context.Context, id fact.HostID) (Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := w.machines[id]
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case m == nil || m.down:
		return nil, &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Host: id.String(), Step: "connect", What: "connection refused"}
	case m.auth:
		return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, Host: id.String(), Step: "connect", What: "no key fits"}
	}
	return link{m}, nil
}

type link struct{ m *machine }

func (l link) Session() remote.Session { return remote.Session{Runner: l.m} }
func (link) Ident() string             { return "SSH-2.0-OpenSSH_9.2p1 Debian-2" }
func (link) Release()                  {}
func (link) Drop()                     {}

// Session, Drop and Place make a machine the controller.
func (m *machine) Session(context.Context) (remote.Session, func(), error) {
	return remote.Session{Runner: m}, func() {}, nil
}
func (*machine) Drop()            {}
func (*machine) Place() job.Place { return job.In("/state/jobs") }

// Run does the command. Where the process is to die at it, it is done all the same, as
// on a real host, but nobody hears of it.
func (m *machine) Run(ctx context.Context, c remote.Command) (remote.Result, error) {
	w := m.world
	if err := ctx.Err(); err != nil {
		return remote.Result{}, err
	}
	if d := w.delay(); d > 0 && !pause(ctx, d) {
		return remote.Result{}, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commands++
	r := m.do(c)
	if w.commands == w.dies {
		w.die()
		return remote.Result{}, context.Canceled
	}
	if r.Ending == remote.Lost {
		return r, &fault.Error{Code: fault.Lost, What: "the connection ended"}
	}
	return r, nil
}

func (w *world) delay() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.draw == nil {
		return 0
	}
	return time.Duration(w.draw.IntN(200)) * time.Millisecond
}

func says(code int, out string) remote.Result {
	return remote.Result{Ending: remote.Exited, Code: code, Out: []byte(out)}
}

func (m *machine) do(c remote.Command) remote.Result {
	switch {
	case m.down:
		return remote.Result{Ending: remote.Lost}
	case c.Argv[0] == "take":
		if m.lock == "" {
			m.lock = c.Argv[1]
			m.effects = append(m.effects, "take")
		}
		return says(0, "")
	case c.Argv[0] == "who":
		return m.who()
	case c.Argv[0] == "give":
		m.lock = ""
		m.effects = append(m.effects, "give")
		return says(0, "")
	case c.Argv[0] == "install":
		m.installed = true
		m.effects = append(m.effects, "install")
		return says(0, "")
	case c.Argv[0] == "installed":
		return says(0, strconv.FormatBool(m.installed))
	case slices.Contains(c.Argv, "patchring-job"):
		return m.start(c)
	case strings.Contains(string(c.Stdin), "Tells how a job stands"):
		return m.look(c)
	case slices.Contains(c.Argv, "patchring-health"):
		return m.health(c)
	case len(c.Argv) > 4 && c.Argv[4] == "read":
		out := cmp.Or(m.probe, m.world.probe)
		if m.installed {
			out = strings.ReplaceAll(out, "1.2-1", "1.3-1")
		}
		return says(0, out)
	}
	return says(64, "")
}

func (m *machine) who() remote.Result {
	m.looks++
	switch {
	case m.muddled:
		return says(0, "garbage")
	case m.lock == "":
		return says(0, "free")
	}
	return says(0, "the lock:\n"+m.lock+"\n")
}

// start is a job's: it ends at once.
func (m *machine) start(c remote.Command) remote.Result {
	at := slices.Index(c.Argv, "patchring-job")
	id := c.Argv[at+2]
	if _, there := m.jobs[id]; there {
		return says(0, "attached")
	}
	m.jobs[id] = 0
	for word, code := range m.fails {
		if strings.Contains(id, word) {
			m.jobs[id] = code
		}
	}
	m.effects = append(m.effects, "job "+jobName(id))
	return says(0, "started")
}

// jobName is a job's ID without what names the rollout and the host.
func jobName(id string) string {
	words := strings.SplitN(id, "-", 3)
	return words[len(words)-1]
}

func (m *machine) look(c remote.Command) remote.Result {
	code, there := m.jobs[c.Argv[4]]
	if !there {
		return says(0, "patchring-job 1\nstate absent\nlog\n")
	}
	return says(0, fmt.Sprintf("patchring-job 1\nstate exited\ncode %d\nlog\nit said so\n", code))
}

// health answers a round: services by sick, the failed units by units, and nothing else.
func (m *machine) health(c remote.Command) remote.Result {
	m.asked++
	if m.loses > 0 {
		m.loses--
		return remote.Result{Ending: remote.Lost}
	}
	lines := strings.Split(string(c.Stdin), "\n")
	var out strings.Builder
	for _, line := range lines[1:] {
		name, asked := strings.CutPrefix(line, "do ")
		if !asked {
			continue
		}
		body, code := "no tool for it", 127
		switch {
		case name == fact.SectionFailedUnits:
			state := " loaded failed failed\n"
			body, code = strings.Join(append(slices.Clone(m.units), ""), state), 0
		case name >= "0" && name <= "9" && m.sick:
			body, code = "failed", 3
		case name >= "0" && name <= "9":
			body, code = "active", 0
		}
		fmt.Fprintf(&out, "@@%s begin %s\n%s\n@@%s end %d\n", lines[0], name, body, lines[0], code)
	}
	fmt.Fprintf(&out, "@@%s eof\n", lines[0])
	return says(0, out.String())
}

// linux is a driver whose commands the made-up hosts know.
type linux struct{ lockless }

// lockless can keep no lock.
type lockless struct{}

func (lockless) Capabilities() platform.Capabilities { return platform.Capabilities{} }
func (lockless) Read([]remote.Result) (fact.Facts, error) {
	return fact.Facts{}, errors.New("not asked for")
}

func (lockless) Steps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	return []platform.Step{
		{ID: "stage", On: f.Host, Deadline: time.Minute, Look: platform.Look{Do: does(remote.Reads, "installed"), Judge: func([]remote.Result) platform.Standing {
			return platform.Standing{State: platform.Done}
		}}},
		{ID: "install", On: f.Host, Deadline: time.Minute, Changes: true, Do: does(remote.Changes, "install", w.ID), Look: platform.Look{
			Do: does(remote.Reads, "installed"), Judge: func(r []remote.Result) platform.Standing {
				if string(r[0].Out) == "true" {
					return platform.Standing{State: platform.Done}
				}
				return platform.Standing{State: platform.NotDone}
			},
		}},
	}, nil
}

func does(effect remote.Effect, argv ...string) []platform.Operation {
	return []platform.Operation{{Command: &remote.Command{Argv: argv, Effect: effect}}}
}

func (linux) Lock(on fact.HostID, o platform.Owner) platform.Step {
	raw, _ := json.Marshal(o) // a struct of strings
	return lockStep("lock", on, does(remote.Changes, "take", string(raw)), func(held *platform.Owner, muddled bool) platform.Standing {
		switch {
		case muddled:
			return platform.Standing{Code: fault.Locked, Reasons: []string{"the lock can't be understood"}}
		case held == nil:
			return platform.Standing{State: platform.NotDone}
		case held.Rollout == o.Rollout && held.Host == o.Host:
			return platform.Standing{State: platform.Done}
		}
		return platform.Standing{State: platform.Failed, Code: fault.Locked, Reasons: []string{"locked by " + held.By + "; type: sudo rm -r"}}
	})
}

func (linux) Unlock(on fact.HostID, o platform.Owner) platform.Step {
	return lockStep("unlock", on, does(remote.Changes, "give"), func(held *platform.Owner, muddled bool) platform.Standing {
		switch {
		case muddled:
			return platform.Standing{Reasons: []string{"the lock can't be understood"}}
		case held != nil && held.Rollout == o.Rollout && held.Host == o.Host:
			return platform.Standing{State: platform.NotDone}
		}
		return platform.Standing{State: platform.Done}
	})
}

func lockStep(id platform.StepID, on fact.HostID, do []platform.Operation, judge func(*platform.Owner, bool) platform.Standing) platform.Step {
	return platform.Step{ID: id, On: on, Deadline: time.Minute, Do: do, Look: platform.Look{
		Do: does(remote.Reads, "who"),
		Judge: func(r []remote.Result) platform.Standing {
			return judge(holderIn(r), string(r[0].Out) == "garbage")
		},
	}}
}

// shelf is a store.
type shelf struct {
	mu   sync.Mutex
	kept map[patch.Digest][]byte
}

func (s *shelf) Put(content []byte) (patch.Digest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[patch.Digest][]byte{}
	}
	digest := patch.DigestOf(content)
	s.kept[digest] = slices.Clone(content)
	return digest, nil
}

func (s *shelf) Get(digest patch.Digest, _ int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.kept[digest]
	if !ok {
		return nil, fmt.Errorf("there is no %s: %w", digest, store.ErrNotFound)
	}
	return content, nil
}

func (s *shelf) Size(digest patch.Digest) (int64, error) {
	content, err := s.Get(digest, 0)
	return int64(len(content)), err
}

func (s *shelf) Has(digest patch.Digest) bool {
	_, err := s.Get(digest, 0)
	return err == nil
}

func (s *shelf) Open(digest patch.Digest) (io.ReadCloser, error) {
	content, err := s.Get(digest, 0)
	return io.NopCloser(bytes.NewReader(content)), err
}

func (s *shelf) Take(content io.Reader, want patch.Digest, limit int64) error {
	all, err := io.ReadAll(io.LimitReader(content, limit))
	if err != nil {
		return err
	}
	if got, _ := s.Put(all); got != want {
		return store.ErrContent
	}
	return nil
}
