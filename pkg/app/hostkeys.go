package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/report"
)

// HostKeysOptions are those of `hostkeys check`, `pin` and `rotate`.
type HostKeysOptions struct {
	Options
	Hosts          string
	From           string // pin: a file to compare with; "": a person compares
	PrintInventory bool   // pin: print host_keys: lines, record nothing
}

// command is what to type next, for the same hosts: without their pattern it would be for
// the whole fleet.
func (o HostKeysOptions) command(verb string, more ...string) string {
	argv := []string{"patchring", "hostkeys", verb}
	if o.Hosts != "" {
		argv = append(argv, o.Hosts)
	}
	return remote.Quote(append(argv, more...))
}

// surveyed is one host whose keys were looked at.
type surveyed struct {
	host inventory.Host
	keys connect.KeySurvey
	err  error
}

// CheckHostKeys holds the keys that hosts show against what is known of them. It logs in
// nowhere and records nothing.
func (e Env) CheckHostKeys(ctx context.Context, o HostKeysOptions) (Ending, error) {
	var looked []report.LookedKeys
	err := withKeys(ctx, e, o, surveyKeys, func(_ *fleet, all []surveyed) error {
		for _, s := range all {
			looked = append(looked, s.looked())
		}
		return nil
	})
	if err != nil {
		return Ending{}, err
	}
	doc := report.NewHostKeys("check", looked)
	end := Ending{Ending: doc.Exit}
	if doc.Totals.ByState["unknown"] > 0 {
		end.Next = o.command("pin")
	}
	return end, e.printBrief(o.Options, doc, len(looked) > 1)
}

// surveyKeys looks at the keys of one host.
func surveyKeys(ctx context.Context, f *fleet, h inventory.Host) (surveyed, error) {
	keys, err := f.ssh.Survey(ctx, h, f.inv.Sites[h.ID.Site])
	return surveyed{h, keys, err}, err
}

// looked is a host as the document tells it.
func (s surveyed) looked() report.LookedKeys {
	out := report.LookedKeys{Host: s.host.ID, Name: s.keys.Name, File: s.keys.File, Err: s.err}
	if s.err != nil {
		return out
	}
	out.State = s.keys.Standing.String()
	worst := connect.Trusted
	for _, k := range s.keys.Shown {
		out.Keys = append(out.Keys, report.LookedKey{Type: k.Type, Fingerprint: k.Fingerprint, State: k.Standing.String(), Where: k.Where})
		if k.Why != nil && k.Standing < worst && s.keys.Standing < connect.OtherKind {
			worst, out.Why, out.Hint = k.Standing, whatOf(k.Why), fault.HintOf(k.Why)
		}
	}
	for _, k := range s.keys.Absent {
		out.Keys = append(out.Keys, report.LookedKey{Type: k.Type, Fingerprint: k.Fingerprint, State: "gone", Where: k.Where})
	}
	if s.keys.Standing == connect.OtherKind && len(s.keys.Pins) == 0 {
		out.Why = "it has keys of kinds that are not known"
		out.Hint = "have it prove them: patchring hostkeys rotate " + s.host.ID.String()
	}
	return out
}

// whatOf is what happened, without the host and the step, which stand beside it.
func whatOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.What != "" {
		return f.What
	}
	return err.Error()
}

// sure has a yes for what is about to be written to known_hosts. Where nobody can be
// asked and --yes was not given, that is a no.
func (e Env) sure(ctx context.Context, o Options, question string) (bool, error) {
	if o.Yes {
		return true, nil
	}
	if !e.Terminal || o.JSON {
		return false, nil
	}
	answer, err := e.question(ctx, question+" [yes/no]")
	return answer == "yes" || answer == "y", err
}

// hostKeyLines are the lines that pin a host's keys in the inventory. A key that nobody
// has compared yet says so; hosts whose keys are not in order get a comment alone.
func hostKeyLines(all []report.HostKeysHost) string {
	var b strings.Builder
	b.WriteString("# put under hosts: of your inventory; any of a host's keys is right, and known_hosts counts no more\n")
	for _, h := range all {
		switch h.State {
		case "ok", "other_kind", "unknown", "confirmed":
		default:
			fmt.Fprintf(&b, "# %s: %s, not written\n", h.Host, h.State)
			continue
		}
		_, name, _ := strings.Cut(h.Host, "/")
		fmt.Fprintf(&b, "%s:  # %s\n  host_keys:\n", name, h.Host)
		for _, k := range h.Keys {
			switch k.State {
			case "ok", "confirmed":
				fmt.Fprintf(&b, "    - %q  # %s\n", k.Fingerprint, k.Type)
			case "unknown", "other_kind":
				fmt.Fprintf(&b, "    - %q  # %s: compare it first, nobody has\n", k.Fingerprint, k.Type)
			}
		}
	}
	return b.String()
}
