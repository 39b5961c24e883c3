package app

import (
	"context"
	"fmt"
	"io"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/report"
)

// pinned is a host whose keys are about to be recorded.
type pinned struct {
	surveyed
	confirmed map[string]string // by fingerprint: the line of the reference; nil: none was given
	differs   string            // a line of the reference that holds another key
}

// PinHostKeys records the keys that hosts show, once a person said that they are right or
// a file says so. A key that differs from a known one is never recorded.
func (e Env) PinHostKeys(ctx context.Context, o HostKeysOptions) (Ending, error) {
	ref, err := e.reference(o)
	if err != nil {
		return Ending{}, err
	}
	var end Ending
	err = withKeys(ctx, e, o, surveyKeys, func(f *fleet, all []surveyed) error {
		var hosts []pinned
		for _, s := range all {
			hosts = append(hosts, s.against(ref))
		}
		end, err = e.pin(ctx, o, f, hosts)
		return err
	})
	return end, err
}

func (e Env) reference(o HostKeysOptions) (*connect.Reference, error) {
	if o.From == "" {
		return nil, nil
	}
	text, err := readConfig(o.From, "--from names what ssh-keyscan printed, or a known_hosts file")
	if err != nil {
		return nil, err
	}
	ref, skipped, err := connect.ParseReference(o.From, text)
	for _, line := range skipped {
		e.say("warning: %s", line)
	}
	return &ref, err //nolint:wrapcheck // names file and line
}

// against compares what a host shows with the reference, also what is known already.
func (s surveyed) against(ref *connect.Reference) pinned {
	p := pinned{surveyed: s}
	if ref == nil || s.err != nil {
		return p
	}
	p.confirmed = map[string]string{}
	for _, k := range s.keys.Shown {
		where, differs := ref.Confirms(s.host, k)
		if where != "" {
			p.confirmed[k.Fingerprint] = where
		} else if differs != "" {
			p.differs = differs
		}
	}
	return p
}

// wants tells whether a key may be recorded.
func (p pinned) wants(k connect.ShownKey) bool {
	return p.differs == "" && (p.confirmed == nil || p.confirmed[k.Fingerprint] != "")
}

// pin shows what there is, has it confirmed, records it, and shows what was done.
func (e Env) pin(ctx context.Context, o HostKeysOptions, f *fleet, hosts []pinned) (Ending, error) {
	doc := report.NewHostKeys("pin", lookedAt(hosts))
	if o.PrintInventory {
		return e.printHostKeyLines(o, doc)
	}
	asked := doc.Recordable() > 0 && o.From == "" && !o.Yes && e.Terminal && !o.JSON
	if asked {
		if err := e.print(o.Options, doc); err != nil {
			return Ending{}, err
		}
	}
	yes := o.From != ""
	if !yes && doc.Recordable() > 0 {
		var err error
		if yes, err = e.sure(ctx, o.Options, "Are these fingerprints those of the hosts' consoles? Record them?"); err != nil {
			return Ending{}, err
		}
	}
	if !yes {
		return e.notRecorded(o, doc, asked)
	}
	var done []report.LookedKeys
	for i, looked := range lookedAt(hosts) {
		done = append(done, f.record(hosts[i], looked))
	}
	doc = report.NewHostKeys("pin", done)
	return Ending{Ending: doc.Exit}, e.print(o.Options, doc)
}

func lookedAt(hosts []pinned) []report.LookedKeys {
	var out []report.LookedKeys
	for _, p := range hosts {
		out = append(out, p.looked())
	}
	return out
}

// looked adds what the reference says to what is known.
func (p pinned) looked() report.LookedKeys {
	out := p.surveyed.looked()
	if p.confirmed == nil {
		return out
	}
	for i, k := range out.Keys {
		if where := p.confirmed[k.Fingerprint]; where != "" && (k.State == "unknown" || k.State == "other_kind") {
			out.Keys[i].State, out.Keys[i].Where = "confirmed", where
		}
	}
	switch {
	case p.differs != "":
		out.State, out.Why = "changed", p.differs+" holds another key than the host shows"
		out.Hint = "one of them is not this host: compare the fingerprint on its console; nothing was recorded"
	case len(p.confirmed) > 0 && (out.State == "unknown" || out.State == "other_kind"):
		out.State, out.Why, out.Hint = "confirmed", "", ""
	case out.State == "unknown":
		out.Why, out.Hint = "the file does not hold any of its keys", "is the host in the file by its address, or by its name in the inventory?"
	}
	return out
}

// record writes one host's keys down and says which.
func (f *fleet) record(p pinned, looked report.LookedKeys) report.LookedKeys {
	if p.err != nil || p.differs != "" {
		return looked
	}
	added, err := f.ssh.Record(p.host, p.keys, p.wants)
	if err != nil {
		looked.Err = err
		return looked
	}
	for _, a := range added {
		for i := range looked.Keys {
			if looked.Keys[i].Fingerprint == a.Fingerprint {
				looked.Keys[i].State, looked.Keys[i].Where = "recorded", a.Where
			}
		}
		looked.State, looked.Why, looked.Hint = "recorded", "", ""
	}
	return looked
}

func (e Env) notRecorded(o HostKeysOptions, doc report.HostKeys, shown bool) (Ending, error) {
	end := Ending{Ending: doc.Exit}
	if doc.Recordable() > 0 {
		end.Next = "compare the fingerprints, then: " + o.command("pin", "--yes")
	}
	if shown {
		e.say("nothing was recorded")
		return end, nil
	}
	return end, e.print(o.Options, doc)
}

func (e Env) printHostKeyLines(o HostKeysOptions, doc report.HostKeys) (Ending, error) {
	end := Ending{Ending: doc.Exit}
	if o.JSON {
		return end, e.print(o.Options, doc)
	}
	_, err := io.WriteString(e.Out, hostKeyLines(doc.Hosts))
	if err != nil {
		err = fmt.Errorf("print the lines: %w", err)
	}
	return end, err
}
