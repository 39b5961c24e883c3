package local

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// sampling is a rig whose gate of prod asks these hosts.
func sampling(t *testing.T, w *world, sick map[string]string, names ...string) *rig {
	t.Helper()
	p := planOf(names...)
	for i := range p.Hosts {
		p.Hosts[i].Checks = append(service(), health.Check{DefaultDiff: true, Within: 1})
	}
	var healthy []rollout.HostStatus
	r := w.rig(p, "r1", func(c *Config) {
		c.Healthy = func(ring string) []rollout.HostStatus {
			if ring != "prod" {
				t.Errorf("asked for ring %q", ring)
			}
			return healthy
		}
		c.Sick = func(string) map[string]string { return sick }
	})
	for _, name := range names {
		before := r.must(t, name, rollout.FlowBefore).Before
		healthy = append(healthy, rollout.HostStatus{ID: host(name), Before: before})
		w.at(name).asked = 0
	}
	return r
}

func (r *rig) sampled(t *testing.T) (rollout.Sampled, Samples) {
	t.Helper()
	entry, err := r.Perform(t.Context(), rollout.Task{Rollout: "r1", Ring: "prod", Ask: rollout.AskSample})
	if err != nil {
		t.Fatal(err)
	}
	got := entry.(rollout.Sampled)
	raw, err := r.Store.Get(got.Samples, maxSamples)
	if err != nil {
		t.Fatal(err)
	}
	var doc Samples
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return got, doc
}

func TestSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "well", "sick", "worse", "gone", "cut", "back", "still", "left")
		sick := map[string]string{"hq/back": "fail: it was", "hq/still": "fail: for another reason", "hq/nowhere": "unknown: it was"}
		r := sampling(t, w, sick, "well", "sick", "worse", "gone", "cut", "back", "still", "left")
		w.at("sick").sick, w.at("still").sick = true, true
		w.at("worse").units = []string{"db.service"} // only the diff sees it
		w.at("gone").down = true
		w.at("cut").loses = 1
		delete(r.Hosts, host("left"))
		got, doc := r.sampled(t)
		if got.Ring != "prod" || got.Pass != 3 || got.Fail != 3 || got.Unknown != 2 {
			t.Errorf("got %+v", got)
		}
		for name, says := range map[string]string{
			"hq/sick": "fail: service app: fail", "hq/worse": "fail: default_diff failed_units: fail: newly failed: db.service",
			"hq/gone": "unknown: service app: unknown: the host can't be asked", "hq/left": "unknown: it is no longer in the inventory",
			"hq/back": "", "hq/nowhere": "",
		} {
			why, changed := got.Changed[name]
			if !changed || !strings.HasPrefix(why, says) || (says == "") != (why == "") {
				t.Errorf("%s: %q", name, why)
			}
			delete(got.Changed, name)
		}
		if len(got.Changed) > 0 {
			t.Errorf("no change, and yet: %q", got.Changed)
		}
		if w.at("well").asked != 1 || w.at("cut").asked != 2 {
			t.Errorf("one exec for all checks of a host, once more where it was lost: %d, %d", w.at("well").asked, w.at("cut").asked)
		}
		for _, h := range doc.Hosts {
			if (h.Verdict == health.Pass) != (len(h.Results) == 0 && h.Why == "") && h.Host != host("left") {
				t.Errorf("%+v", h)
			}
		}
		for name, m := range w.machines {
			if len(m.effects) > 0 {
				t.Errorf("%s was changed: %q", name, m.effects)
			}
		}
	})
}

// Without checks, a host passes by being there.
func TestSampleWithoutChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c")
		r := w.rig(planOf("a", "b", "c"), "r1", func(c *Config) {
			c.Healthy = func(string) []rollout.HostStatus {
				return []rollout.HostStatus{{ID: host("a")}, {ID: host("b")}, {ID: host("c")}}
			}
		})
		w.at("b").down = true
		w.at("c").loses = 1
		got, _ := r.sampled(t)
		if got.Pass != 2 || got.Unknown != 1 || got.Changed["hq/b"] != "unknown: unreachable" {
			t.Errorf("got %+v", got)
		}
	})
}

func TestSampleOfNobody(t *testing.T) {
	got, doc := newWorld(t).rig(planOf(), "r1").sampled(t)
	if got.Pass+got.Fail+got.Unknown > 0 || len(doc.Hosts) > 0 {
		t.Errorf("got %+v", got)
	}
}

// Not all at once, at most so many, and always in the same order.
func TestSamplesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names []string
		for i := range 100 {
			names = append(names, "h"+strconv.Itoa(100+i))
		}
		w := newWorld(t, names...)
		r := sampling(t, w, nil, names...)
		w.draw = rand.New(rand.NewPCG(1, 2))
		begin := time.Now()
		got, doc := r.sampled(t)
		if took := time.Since(begin); got.Pass != 100 || took < time.Second || took > 5*time.Second {
			t.Errorf("%+v in %s", got, took)
		}
		if !slices.IsSortedFunc(doc.Hosts, func(a, b HostSample) int { return a.Host.Compare(b.Host) }) {
			t.Error("the document is not in the order that was asked for")
		}
	})
	if a, b := jitter(host("a"), spreadMost), jitter(host("b"), spreadMost); a == b || a != jitter(host("a"), spreadMost) || a > spreadMost || jitter(host("a"), 0) != 0 {
		t.Errorf("jitter %s %s", a, b)
	}
}

// One that hangs is unknown after its bound, and holds its slot no longer.
func TestSampleOfAHostThatHangs(t *testing.T) {
	for name, c := range map[string]struct {
		checks []health.Check
		bound  time.Duration
	}{
		"no checks":       {nil, peerWithin},
		"short ones":      {service(), peerWithin},
		"a long command":  {[]health.Check{{Command: &health.Command{Argv: []string{"true"}}, Within: 5 * time.Minute}}, 5*time.Minute + 30*time.Second},
		"from here alone": {[]health.Check{{Service: "app", Within: time.Hour}}, peerWithin},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "a", "b", "c")
				p := planOf("a", "b", "c")
				for i := range p.Hosts {
					p.Hosts[i].Checks = c.checks
				}
				r := w.rig(p, "r1", func(c *Config) {
					c.Concurrency = 1
					c.Connect = hanging{w, host("a")}
					c.Healthy = func(string) []rollout.HostStatus {
						return []rollout.HostStatus{{ID: host("a")}, {ID: host("b")}, {ID: host("c")}}
					}
				})
				begin := time.Now()
				got, doc := r.sampled(t)
				if took := time.Since(begin); took < c.bound || took > c.bound+10*time.Second {
					t.Errorf("the round took %s, with a bound of %s", took, c.bound)
				}
				if got.Unknown != 1 || doc.Hosts[0].Verdict != health.Unknown || doc.Hosts[0].Why != "it did not answer within "+c.bound.String() {
					t.Errorf("%+v %+v", got, doc.Hosts[0])
				}
			})
		})
	}
}

// hanging connects to all hosts but one, where nothing ever comes back.
type hanging struct {
	*world
	at fact.HostID
}

func (h hanging) Connect(ctx context.Context, id fact.HostID) (Link, error) {
	if id == h.at {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.world.Connect(ctx, id)
}

func TestStoppedSampleIsNoSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a")
		r := sampling(t, w, nil, "a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if entry, err := r.Perform(ctx, rollout.Task{Ring: "prod", Ask: rollout.AskSample}); !errors.Is(err, context.Canceled) {
			t.Errorf("%+v %v", entry, err)
		}
	})
}

func TestSampleIsBounded(t *testing.T) {
	p := newWorld(t).rig(planOf(), "r1").Performer
	doc := Samples{}
	for i := range 5000 {
		doc.Hosts = append(doc.Hosts, HostSample{Host: host(strconv.Itoa(i)), Verdict: health.Fail, Why: "why", Results: []health.Result{{Seen: strings.Repeat("x", 1000)}}})
	}
	digest, err := p.keepSamples(doc)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := p.Store.Get(digest, 0); err != nil || len(raw) > maxSamples || !strings.Contains(string(raw), `"shortened":true`) {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}

func TestInquiries(t *testing.T) {
	p := planOf("a")
	p.Rings[1].Gate.Checks = []playbook.Inquiry{{Name: "errors"}}
	for name, c := range map[string]struct {
		ask     rollout.Ask
		ring    string
		conf    func(*Config)
		verdict health.Verdict
		says    string
	}{
		"answered":      {"check:errors", "prod", nil, health.Pass, "PATCHRING_RING=prod"},
		"can't be told": {"check:errors", "prod", func(c *Config) { c.Outside = &outside{errs: []error{down()}} }, health.Unknown, "no answer"},
		"not there":     {"check:change", "prod", nil, health.Unknown, "no such check"},
		"another ring":  {"check:errors", "test", nil, health.Unknown, "no such check"},
		"no ring":       {"check:errors", "none", nil, health.Unknown, "no such check"},
		"nobody to ask": {"check:errors", "prod", func(c *Config) { c.Outside = nil }, health.Unknown, "nothing can ask"},
	} {
		r := newWorld(t, "a").rig(p, "r1", func(c *Config) { c.Outside = &outside{} }, orNone(c.conf))
		entry, err := r.Perform(t.Context(), rollout.Task{Rollout: "r1", Ring: c.ring, Ask: c.ask, When: playbook.WhenAfter})
		got, ok := entry.(rollout.Asked)
		if err != nil || !ok || got.Verdict != c.verdict || !strings.Contains(got.Seen, c.says) || got.When != playbook.WhenAfter || got.Ring != c.ring || "check:"+got.Check != string(c.ask) {
			t.Errorf("%s: %+v, %v", name, entry, err)
		}
	}
}

func TestChangesKeepsOnlyWhatChanged(t *testing.T) {
	now := []HostSample{
		{Host: host("a"), Verdict: health.Fail, Why: "load 9"}, {Host: host("b"), Verdict: health.Unknown, Why: "gone"}, {Host: host("c"), Verdict: health.Pass},
	}
	first := changes(nil, now)
	if len(first) != 2 || first["hq/b"] != "unknown: gone" {
		t.Errorf("got %q", first)
	}
	now[0].Why = "load 8"
	if again := changes(maps.Clone(first), now); again != nil {
		t.Errorf("nothing changed, and yet: %q", again)
	}
	now[1].Verdict = health.Fail
	if worse := changes(first, now); len(worse) != 1 || worse["hq/b"] != "fail: gone" {
		t.Errorf("got %q", worse)
	}
}

// A budget's units are those of the plan, and of hosts outside its rings the inventory's.
func TestUnitsOf(t *testing.T) {
	c := Config{Plan: &plan.Plan{Hosts: []plan.Host{{ID: host("a"), Unit: "pair"}}}}
	sameUnitOf(&c, "a", "old")
	sameUnitOf(&c, "z", "stack")
	if got := unitsOf(c); len(got) != 2 || got["hq/a"] != "pair" || got["hq/z"] != "stack" {
		t.Errorf("got %v", got)
	}
	if _, known := unitsOf(Config{})[fact.HostID{}.String()]; known {
		t.Error("a host without a name has no unit")
	}
}
