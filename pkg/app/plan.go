package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/sshsig"
)

// PlanOptions are those of `plan`; `run` shares Packages.
type PlanOptions struct {
	Options
	Playbook string
	Packages []string // globs: only these packages
	Out      string   // file to save the plan in, beside the state folder's copy
	AsIs     string   // pattern: hosts that are taken as they are now, whatever their last rollout said
	Summary  bool     // a line for each host instead of each update
	NoFetch  bool     // do not refresh the package lists first
	Urgent   bool     // the playbook's urgent lane
	CVEs     []string // only updates that fix one of these
	PatchSet string   // a file, or an imported set's digest: nothing else is installed, in the first ring either
	Forecast bool     // show when it would run, instead of what
	Format   string   // of the forecast
	Unproven bool     // devices are upgraded in ways that nobody has proven, too
	NoLock   bool     // hosts are worked on that can keep no lock
	Sign     bool     // sign the saved plan with --sign-key

	signer   *signer // of the plan of the site at hand; nil: it is not signed
	mustSign bool    // the site carries out signed plans only
	Detailed bool    // tell with the exit code whether there are changes, or whether it waits
}

// Plan looks at every host of the playbook and says exactly what would change. The
// plan is saved, so that `run` can be given it.
func (e Env) Plan(ctx context.Context, o PlanOptions) (Ending, error) {
	if err := o.check(); err != nil {
		return Ending{}, err
	}
	inv, book, err := o.load()
	if err != nil {
		return Ending{}, err
	}
	sites, err := o.sites(inv)
	if err != nil {
		return Ending{}, err
	}
	signers, err := e.planSigners(ctx, o, inv, sites)
	if err != nil {
		return Ending{}, err
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return Ending{}, err
	}
	defer f.Close()
	if f.keys, err = e.keyrings(inv); err != nil {
		return Ending{}, err
	}
	var ends []Ending
	for _, site := range sites {
		o.signer, o.mustSign = signers[site], inv.Sites[site].Trust.Plans
		made, err := e.makePlan(ctx, o, f, book, site)
		if err != nil {
			return Ending{}, err
		}
		show := e.savedPlan
		if o.Forecast {
			show = e.forecast
		}
		end, err := show(ctx, o, made)
		if err != nil {
			return Ending{}, err
		}
		ends = append(ends, end)
	}
	return worst(ends), nil
}

// check refuses the urgent lane for everything: its short soak is for what can't wait.
func (o PlanOptions) check() error {
	if !o.Forecast && o.Format != "" && o.Format != string(report.FormatText) {
		return fault.Usagef("add --forecast", "--format is for a forecast")
	}
	if o.Urgent && len(o.CVEs)+len(o.Packages) == 0 {
		return fault.Usagef("name it: --urgent --cve CVE-2026-1234, or --package GLOB where the hosts tell no CVEs",
			"the urgent lane is for a fix that can't wait, not for everything")
	}
	return nil
}

func (o PlanOptions) load() (*inventory.Inventory, *loadedBook, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return nil, nil, err
	}
	book, err := o.loadBook(o.Playbook, inv)
	return inv, book, err
}

// loadedBook is a playbook with the digest of its bytes.
type loadedBook struct {
	*playbook.Playbook
	source patch.Digest
}

func (o Options) loadBook(path string, inv *inventory.Inventory) (*loadedBook, error) {
	src, err := readConfig(path, "name a playbook, e.g. playbooks/monthly.yaml; write a first one with: patchring init")
	if err != nil {
		return nil, err
	}
	book, err := playbook.ParseFiles(path, src, inv, beside(path), o.calendarFrom())
	if err != nil {
		return nil, err //nolint:wrapcheck // carries file, line and hint
	}
	return &loadedBook{book, patch.DigestOf(src)}, nil
}

// makePlan is the whole road from hosts to a plan: draft the rings, look at their
// hosts, pick the updates, ask each host's package manager, and fix it.
func (e Env) makePlan(ctx context.Context, o PlanOptions, f *fleet, book *loadedBook, site string) (*plan.Plan, error) {
	input := plan.Input{
		Playbook: book.Playbook, Source: book.source, Inventory: f.inv, Site: site,
		Packages: o.Packages, Now: e.Now(), Urgent: o.Urgent, CVEs: o.CVEs,
		Driver: f.drivers.For, Unproven: o.Unproven, NoLock: o.NoLock,
	}
	bound, err := o.boundTo()
	if err != nil {
		return nil, err
	}
	hosts, err := o.ringHosts(f.inv, book.Playbook, site)
	if err != nil {
		return nil, err
	}
	if input.Images, err = e.images(ctx, o.Options, f, book.Playbook, site); err != nil {
		return nil, err
	}
	input.Controller = isController
	if err := o.remember(ctx, &input, book.Name); err != nil {
		return nil, err
	}
	if input.Quarantine, err = o.quarantined(); err != nil {
		return nil, err
	}
	if o.Limit != "" {
		input.Limit = ids(hosts)
	}
	hosts = filter(hosts, func(h inventory.Host) bool { q, is := input.Quarantine[h.ID]; return !is || input.Now.After(q.Until) })
	watch := e.progress("looking at", len(hosts))
	input.Facts = facts(f.survey(ctx, e, hosts, o.concurrency(), platform.Query{Refresh: !o.NoFetch}, watch.Done))
	_ = watch.Close() // a broken stderr must not stop the look
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("stopped before the plan was made: %w", err)
	}
	input.Notes = append(input.Notes, o.markNotes(f, book.Name, site)...)
	draft, err := plan.New(input)
	if err != nil {
		return nil, err //nolint:wrapcheck // carries a hint
	}
	if bound != nil {
		draft.Bind(*bound)
	}
	for _, l := range f.resolve(ctx, draft, input.Facts, hosts, o.concurrency(), func(bool) {}) {
		draft.Resolve(l.id, l.resolution, l.problem)
	}
	if bound != nil {
		draft.Bind(*bound)
	}
	return draft.Plan() //nolint:wrapcheck // carries a hint
}

// remember fills in what hosts bring along from their last rollout, but for those
// that a person wants to be taken as they are now.
func (o PlanOptions) remember(ctx context.Context, in *plan.Input, playbook string) error {
	past, took, err := o.past(ctx, playbook, in.Site)
	if err != nil {
		return err
	}
	in.Takes = plan.History(took)
	if o.AsIs != "" {
		hosts, err := in.Inventory.Select(o.AsIs, readList)
		if err != nil {
			return err //nolint:wrapcheck // carries a hint
		}
		for _, h := range ofSite(hosts, in.Site) {
			if past[h.ID].Doubted {
				in.Notes = append(in.Notes, fmt.Sprintf("%s is taken as it is now (--as-is), though it did not come through rollout %s healthy", h.ID, past[h.ID].Rollout))
			}
			delete(past, h.ID)
		}
	}
	in.Past = past
	return nil
}

// ringHosts are the hosts that any ring names, in the site, within --limit.
func (o Options) ringHosts(inv *inventory.Inventory, book *playbook.Playbook, site string) ([]inventory.Host, error) {
	seen := map[fact.HostID]bool{}
	var hosts []inventory.Host
	for _, ring := range book.Rings {
		members, err := Options{Site: site, Limit: o.Limit}.selected(inv, ring.Hosts)
		if err != nil {
			return nil, err
		}
		for _, h := range members {
			if !seen[h.ID] {
				seen[h.ID] = true
				hosts = append(hosts, h)
			}
		}
	}
	return hosts, nil
}

func ids(hosts []inventory.Host) []fact.HostID {
	all := []fact.HostID{}
	for _, h := range hosts {
		all = append(all, h.ID)
	}
	return all
}

func facts(results []report.Detected) map[fact.HostID]plan.Found {
	all := map[fact.HostID]plan.Found{}
	for _, r := range results {
		if r.Err != nil {
			all[r.Host] = plan.Found{Problem: problemOf(r.Err)}
			continue
		}
		all[r.Host] = plan.Found{Facts: r.Facts}
	}
	return all
}

// savedPlan saves the plan and prints it.
func (e Env) savedPlan(ctx context.Context, o PlanOptions, p *plan.Plan) (Ending, error) {
	path, err := e.savePlan(ctx, o, p)
	if err != nil {
		return Ending{}, err
	}
	end, err := e.showPlan(o, p, o.Detailed)
	switch {
	case err != nil || o.JSON || nothingToDo(p):
	case o.mustSign && o.signer == nil:
		e.say("saved as %s; site %s carries out signed plans only: have it made with --sign", path, p.Site)
	default:
		e.say("saved as %s; carry it out with: patchring run %s", path, path)
	}
	return end, err
}

// showPlan prints the plan; detailed asks for exit code 3 where it has changes.
func (e Env) showPlan(o PlanOptions, p *plan.Plan, detailed bool) (Ending, error) {
	digest, err := plan.Digest(p)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // says what failed
	}
	doc := report.NewPlan(p, digest, detailed)
	return Ending{Ending: doc.Exit}, e.printBrief(o.Options, doc, o.Summary)
}

// savePlan writes the plan where --out says, else into the state folder, with its signature
// beside it: one that is not of this plan is removed. Nothing is written that can't be signed.
func (e Env) savePlan(ctx context.Context, o PlanOptions, p *plan.Plan) (string, error) {
	raw, err := plan.Encode(p)
	if err != nil {
		return "", fmt.Errorf("encode the plan: %w", err)
	}
	path := o.Out
	if path == "" {
		path = filepath.Join(o.statePath(), "plans", fmt.Sprintf("%s-%s-%s.json", p.Site, p.Playbook, patch.DigestOf(raw).Short()))
	}
	var signature []byte
	if o.signer != nil {
		if signature, _, err = o.signer.sign(ctx, sshsig.NamespacePlan, raw); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("save the plan: %w", err)
	}
	if err := os.Remove(path + signatureSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("remove the signature of the plan before it: %w", err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return "", fmt.Errorf("save the plan: %w", err)
	}
	if signature == nil {
		return path, nil
	}
	if err := os.WriteFile(path+signatureSuffix, signature, 0o600); err != nil {
		return "", fmt.Errorf("save the plan's signature: %w", err)
	}
	e.say("signed with %s: %s", o.signer.key.Fingerprint(), path+signatureSuffix)
	return path, nil
}

// signatureSuffix is what stands behind the name of a file whose signature a file holds.
const signatureSuffix = ".sig"
