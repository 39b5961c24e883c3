package evidence

import (
	"encoding/json"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// hostsDoc is hosts.json: what became of each host.
type hostsDoc struct {
	Version int       `json:"version"`
	Kind    string    `json:"kind"`
	Rollout string    `json:"rollout"`
	Hosts   []hostDoc `json:"hosts"`
}

type hostDoc struct {
	Host     fact.HostID       `json:"host"`
	Ring     string            `json:"ring"`
	State    rollout.HostState `json:"state"`
	Touched  bool              `json:"touched"`
	Try      int               `json:"try"`
	Started  time.Time         `json:"started,omitzero"`
	Ended    time.Time         `json:"ended,omitzero"`
	Platform fact.Platform     `json:"platform,omitempty"`
	Domain   string            `json:"domain,omitempty"`
	Code     string            `json:"code,omitempty"`
	Reasons  []string          `json:"reasons,omitempty"`
	Notes    []string          `json:"notes,omitempty"`
	Problem  *plan.Problem     `json:"problem,omitempty"`
	Versions []versionDoc      `json:"versions"`
	Left     []patch.Left      `json:"left,omitempty"`
	Boot     bootDoc           `json:"boot"`
	Checks   []checkDoc        `json:"checks"`
	// What the host was seen to be, in store/, by digest.
	FactsBefore patch.Digest `json:"facts_before,omitempty"`
	StateBefore patch.Digest `json:"state_before,omitempty"`
	FactsAfter  patch.Digest `json:"facts_after,omitempty"`
}

// versionDoc is one package before the work and after it.
type versionDoc struct {
	Package  string          `json:"package"`
	Arch     string          `json:"arch,omitempty"`
	Before   string          `json:"before,omitempty"` // empty: it was not there
	Planned  string          `json:"planned"`
	After    string          `json:"after,omitempty"` // as verified; empty: it was not, or nobody could tell
	Security patch.Tri       `json:"security"`
	CVEs     string          `json:"cves,omitempty"`
	Digest   patch.Digest    `json:"digest,omitempty"` // of the file that it came from
	RestsOn  patch.Assurance `json:"digest_rests_on,omitempty"`
}

// bootDoc is the proof of a restart: two boot ids that differ. Boot ids and kernels are
// the host's word, read over a connection whose host key was verified.
type bootDoc struct {
	Restarted    bool      `json:"restarted"`
	IDBefore     string    `json:"id_before,omitempty"`
	IDAfter      string    `json:"id_after,omitempty"`
	KernelBefore string    `json:"kernel_before,omitempty"`
	KernelAfter  string    `json:"kernel_after,omitempty"`
	BootedBefore time.Time `json:"booted_before,omitzero"` // of a device, which has no boot id
	BootedAfter  time.Time `json:"booted_after,omitzero"`
	Missing      string    `json:"missing,omitempty"` // what of this could not be told, and why
}

type checkDoc struct {
	Check   string    `json:"check"`
	Verdict string    `json:"verdict"`
	Seen    string    `json:"seen,omitempty"`
	Tries   int       `json:"tries,omitempty"`
	At      time.Time `json:"at"`
	Record  uint64    `json:"record"` // of the journal
}

// objects are the files of store/.
type objects map[patch.Digest][]byte

// facts reads what was known of a host; nil: it is not there, or can't be read.
func (o objects) facts(d patch.Digest) *fact.Facts {
	var f fact.Facts
	if raw, ok := o[d]; !ok || json.Unmarshal(raw, &f) != nil {
		return nil
	}
	return &f
}

// trace is what the journal tells of one host beside its status.
type trace struct {
	checks []checkDoc
	after  patch.Digest
}

func (h *history) traces() map[fact.HostID]*trace {
	all := map[fact.HostID]*trace{}
	for _, e := range h.events {
		end, ok := e.Entry.(rollout.StepEnded)
		if !ok {
			continue
		}
		t := all[end.Host]
		if t == nil {
			t = &trace{}
			all[end.Host] = t
		}
		if end.After != "" {
			t.after = end.After
		}
		for _, c := range end.Checks {
			t.checks = append(t.checks, checkDoc{Check: c.Check, Verdict: c.Verdict.String(), Seen: c.Seen, Tries: c.Tries, At: e.Time, Record: e.Seq})
		}
	}
	return all
}

// hosts builds hosts.json.
func (h *history) hosts(p *plan.Plan, store objects) hostsDoc {
	doc := hostsDoc{Version: Version, Kind: "patchring evidence hosts", Rollout: h.opened.Rollout, Hosts: []hostDoc{}}
	traces := h.traces()
	for _, s := range h.status().Hosts {
		planned, _ := p.Host(s.ID)
		t := traces[s.ID]
		if t == nil {
			t = &trace{}
		}
		doc.Hosts = append(doc.Hosts, newHost(s, planned, t, store))
	}
	return doc
}

func newHost(s rollout.HostStatus, planned plan.Host, t *trace, store objects) hostDoc {
	doc := hostDoc{
		Host: s.ID, Ring: s.Ring, State: s.State, Touched: s.Touched, Try: s.Try, Started: s.Started, Ended: s.Ended,
		Platform: planned.Platform, Domain: planned.Domain, Code: string(s.Code), Reasons: s.Reasons, Notes: s.Notes, Problem: planned.Problem,
		Versions: versions(s, planned), Left: planned.Left, Checks: append([]checkDoc{}, t.checks...),
		StateBefore: s.Before, FactsAfter: t.after,
	}
	if s.Began != nil {
		doc.FactsBefore, doc.Left = s.Began.Facts, s.Began.Work.Left
	}
	doc.Boot = newBoot(s, store.facts(doc.FactsBefore), store.facts(t.after))
	return doc
}

// versions tells what was to be installed, and what was then seen.
func versions(s rollout.HostStatus, planned plan.Host) []versionDoc {
	updates := planned.Install
	if s.Began != nil {
		updates = s.Began.Work.Install
	}
	seen := map[string]patch.Proven{}
	for _, p := range s.Proven {
		seen[p.Name+":"+p.Arch+"="+p.Version] = p
	}
	all := []versionDoc{}
	for _, u := range updates {
		v := versionDoc{Package: u.Name, Arch: u.Arch, Before: u.From, Planned: u.To, Security: u.Security, CVEs: u.CVEs, Digest: u.Digest}
		if p, ok := seen[u.Name+":"+u.Arch+"="+u.To]; ok {
			v.After, v.Digest, v.RestsOn = p.Version, p.Digest, p.Assurance
		}
		all = append(all, v)
	}
	return all
}

func newBoot(s rollout.HostStatus, before, after *fact.Facts) bootDoc {
	b := bootDoc{Restarted: s.Rebooted}
	if before != nil {
		b.IDBefore, b.KernelBefore, b.BootedBefore = before.BootID, before.Kernel.Running, booted(before)
	}
	if after != nil {
		b.IDAfter, b.KernelAfter, b.BootedAfter = after.BootID, after.Kernel.Running, booted(after)
	}
	switch {
	case s.Began == nil:
	case before == nil:
		b.Missing = "what the host was before the work is not in the store any more"
	case after == nil && s.Rebooted:
		b.Missing = "what the host was after the work was not kept"
	}
	return b
}

func booted(f *fact.Facts) time.Time {
	if f.Device == nil {
		return time.Time{}
	}
	return f.Device.Booted
}
