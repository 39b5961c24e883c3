package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/report"
)

// RunOptions are those of `run`.
type RunOptions struct {
	PlanOptions        // Playbook is a playbook or a saved plan
	JUnit       string // also write a JUnit file

	Wait           time.Duration // stay so long when all that can be done is wait for a time
	OverrideWindow string        // reason to start hosts outside their window
	Supersede      bool          // end the rollout that is open, and begin a new one
	ForceUnlock    string        // rollout whose locks on hosts may be replaced
}

// Run does everything that is allowed now: it carries on the open rollout of this
// playbook and site, or plans and starts a new one.
func (e Env) Run(ctx context.Context, o RunOptions) (Ending, error) {
	if err := o.check(); err != nil {
		return Ending{}, err
	}
	if o.Wait < 0 {
		return Ending{}, fault.Usagef("write how long to stay: --wait 8h", "--wait can't be negative")
	}
	if err := o.checkForce(ctx); err != nil {
		return Ending{}, err
	}
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	source, err := o.source(inv)
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
	var failed []error
	for _, site := range source.sites {
		if e.stopped() {
			failed = append(failed, errStopped())
			break
		}
		end, err := e.runSite(ctx, o, f, source, site)
		if err != nil {
			failed = append(failed, err) // one client's trouble must not keep the others waiting
			continue
		}
		ends = append(ends, end)
	}
	return worst(ends), errors.Join(failed...)
}

// stopped: Ctrl-C was typed, so nothing new may begin.
func (e Env) stopped() bool {
	select {
	case <-e.Stop:
		return true
	default:
		return false
	}
}

func errStopped() error {
	return fmt.Errorf("stopped before anything was begun: %w", context.Canceled)
}

// runSource is what `run` was given: a playbook, or a plan made from one.
type runSource struct {
	name   string
	book   *loadedBook
	plan   *plan.Plan
	raw    []byte // the plan's bytes, and their signature, where there is one
	signed []byte
	digest patch.Digest // of the playbook's bytes
	sites  []string
}

func (o RunOptions) source(inv *inventory.Inventory) (runSource, error) {
	if strings.HasSuffix(o.Playbook, ".json") {
		return o.savedPlan(inv)
	}
	book, err := o.loadBook(o.Playbook, inv)
	if err != nil {
		return runSource{}, err
	}
	sites, err := o.sites(inv)
	return runSource{name: book.Name, book: book, digest: book.source, sites: sites}, err
}

func (o RunOptions) savedPlan(inv *inventory.Inventory) (runSource, error) {
	raw, err := readConfig(o.Playbook, "make one with: patchring plan PLAYBOOK")
	if err != nil {
		return runSource{}, err
	}
	p, err := plan.Decode(raw)
	if err != nil {
		return runSource{}, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: o.Playbook + " is not a plan of this program", Err: err, Hint: "make a new one with: patchring plan PLAYBOOK"}
	}
	if o.Site != "" && o.Site != p.Site {
		return runSource{}, fault.Usagef("drop --site, or make a plan for that site", "the plan is for site %q, not %q", p.Site, o.Site)
	}
	if len(o.Packages) > 0 || o.Limit != "" || len(o.CVEs) > 0 || o.Urgent || o.PatchSet != "" {
		return runSource{}, fault.Usagef("make a narrower plan: patchring plan PLAYBOOK --limit … --package …", "a saved plan is carried out as it is")
	}
	if _, ok := inv.Sites[p.Site]; !ok {
		return runSource{}, fault.Usagef("name the inventory that the plan was made with: --inventory FILE", "the plan's site %q is not in %s", p.Site, inv.Path)
	}
	src := runSource{name: p.Playbook, plan: p, digest: p.Source, sites: []string{p.Site}}
	err = o.addSignature(&src, raw)
	return src, err
}

// runSite carries one site's rollout as far as it may go.
func (e Env) runSite(ctx context.Context, o RunOptions, f *fleet, src runSource, site string) (Ending, error) {
	signer, err := e.demandedSigner(ctx, o.Options, f.inv, site, false)
	if err != nil {
		return Ending{}, err
	}
	r, err := e.findOpen(ctx, o.Options, src.name, site)
	if err != nil {
		return Ending{}, err
	}
	if r != nil {
		r.signer = signer
	}
	if r != nil && o.Supersede {
		if err := e.maySupersede(f, src, r); err != nil {
			r.Close()
			return Ending{}, err
		}
		if err := e.supersede(ctx, o, f, r); err != nil {
			return Ending{}, err
		}
		r = nil
	}
	if r == nil {
		var end Ending
		if r, end, err = e.start(ctx, o, f, src, site); err != nil || r == nil {
			return end, err
		}
	} else if err := e.greet(o, r, src); err != nil {
		r.Close()
		return Ending{}, err
	}
	defer r.Close()
	r.signer = signer
	if err := e.mayCarry(ctx, f, r, o.Wait); err != nil {
		return Ending{}, err
	}
	if err := e.proceed(ctx, o, f, src, r); err != nil {
		return Ending{}, err
	}
	return e.carry(ctx, o, f, r)
}

// mayCarry refuses what must not be carried on: without a key where checkpoints are demanded,
// a plan or a journal that is not what was signed, logins that will not last.
func (e Env) mayCarry(ctx context.Context, f *fleet, r *openRollout, patience time.Duration) error {
	if err := e.trusted(f, r); err != nil {
		return err
	}
	return e.certificatesLast(ctx, f, r, patience)
}

// trusted: the rollout is what was signed, and whoever carries it on can sign that.
func (e Env) trusted(f *fleet, r *openRollout) error {
	if r.signer == nil && r.state.Opening().Trust.Checkpoints {
		return noSigner(r.Site)
	}
	if err := e.planTrusted(f, r); err != nil {
		return err
	}
	return chainTrusted(f.inv, r)
}

// maySupersede: a rollout is not ended for one that may not begin.
func (e Env) maySupersede(f *fleet, src runSource, r *openRollout) error {
	if err := e.mayStart(f, src, r.Site); err != nil {
		return err
	}
	return e.trusted(f, r)
}

// greet says that an open rollout is carried on, and what of the command line it
// does not follow.
func (e Env) greet(o RunOptions, r *openRollout, src runSource) error {
	if src.plan != nil {
		if digest, err := plan.Digest(src.plan); err != nil || digest != r.state.Plan() {
			return fault.Usagef("carry that one on with: patchring run PLAYBOOK, or end it with: patchring abort "+r.ID,
				"rollout %s is open for this playbook and site, with another plan", r.ID)
		}
	}
	if len(o.Packages) > 0 || o.Limit != "" || o.AsIs != "" || len(o.CVEs) > 0 || o.Urgent || o.PatchSet != "" {
		return fault.Usagef("leave the option out to carry it on, or end it and begin a new one with: --supersede",
			"rollout %s is open for this playbook and site, and keeps its plan: --limit, --package, --cve, --urgent, --patch-set and --as-is are for a new one only", r.ID)
	}
	e.say("carrying on rollout %s", r.ID)
	if r.left != "" {
		e.say("note: its last run did not come to its end: %s", r.left)
	}
	if src.digest != r.plan.Source {
		e.say("note: the playbook was edited since this rollout began; the rollout keeps its plan")
	}
	return nil
}

// start plans, asks, and opens a new rollout; none where there is nothing to do.
func (e Env) start(ctx context.Context, o RunOptions, f *fleet, src runSource, site string) (*openRollout, Ending, error) {
	if err := e.mayStart(f, src, site); err != nil {
		return nil, Ending{}, err
	}
	p := src.plan
	if p == nil {
		made, err := e.makePlan(ctx, o.PlanOptions, f, src.book, site)
		if err != nil {
			return nil, Ending{}, err
		}
		p = made
	}
	if nothingToDo(p) {
		return e.quiet(o, p)
	}
	if err := e.refuseMarked(ctx, o, f, p, src.plan != nil); err != nil {
		return nil, Ending{}, err
	}
	if err := e.confirm(ctx, o, p); err != nil {
		return nil, Ending{}, err
	}
	if e.stopped() {
		return nil, Ending{}, errStopped()
	}
	r, err := e.create(ctx, o, p, src.signed)
	if err == nil {
		e.forgetMarked(ctx, o, f, r)
	}
	return r, Ending{}, err
}

// nothingToDo: nothing is to be installed, and no host is in doubt since its last rollout.
func nothingToDo(p *plan.Plan) bool {
	updates, _ := size(p)
	doubted := slices.ContainsFunc(p.Hosts, func(h plan.Host) bool { return h.Recheck != nil && h.Recheck.Doubted })
	return updates == 0 && !doubted
}

// size counts what a plan would install, and on how many hosts.
func size(p *plan.Plan) (updates, hosts int) {
	for _, h := range p.Hosts {
		updates += len(h.Install)
		if len(h.Install) > 0 {
			hosts++
		}
	}
	return updates, hosts
}

// quiet ends a run that has nothing to do. Its JUnit file is there all the same, for
// the CI server that looks for it.
func (e Env) quiet(o RunOptions, p *plan.Plan) (*openRollout, Ending, error) {
	end, err := e.showPlan(o.PlanOptions, p, false)
	if err == nil && o.JUnit != "" {
		err = writeReport(o.JUnit, report.NewChecks(nil), report.FormatJUnit)
	}
	return nil, end, err
}

// confirm asks a person, or demands --yes where there is none.
func (e Env) confirm(ctx context.Context, o RunOptions, p *plan.Plan) error {
	if o.Yes {
		return nil
	}
	if !e.Terminal || o.JSON {
		return fault.Usagef("look at it with: patchring plan "+o.Playbook+", then add --yes", "a new rollout would be started, and nobody can be asked")
	}
	if _, err := e.showPlan(o.PlanOptions, p, false); err != nil {
		return err
	}
	updates, hosts := size(p)
	question := fmt.Sprintf("%d updates on %d hosts of site %s.", updates, hosts, p.Site)
	if back := report.WaysBack(p); back != "" {
		question += " Way back: " + back + "."
	}
	answer, err := e.question(ctx, question+" Start? [yes/no]")
	if err != nil {
		return err
	}
	if answer != "yes" && answer != "y" {
		return fault.Usagef("nothing was changed", "not started")
	}
	return nil
}
