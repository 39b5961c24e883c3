package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/sshsig"
)

// Plans that one person makes and signs, and another carries out.

// planSigners opens the key for each site whose plan is to be signed: before hosts are looked
// at, and with a key that may.
func (e Env) planSigners(ctx context.Context, o PlanOptions, inv *inventory.Inventory, sites []string) (map[string]*signer, error) {
	if !o.Sign {
		return nil, nil
	}
	if o.SignKey == "" {
		return nil, fault.Usagef("add --sign-key ~/.ssh/id_ed25519", "--sign needs a key")
	}
	signers := map[string]*signer{}
	for _, site := range sites {
		s, err := e.signer(ctx, o.Options, inv, site)
		if err == nil {
			err = s.may(sshsig.NamespacePlan)
		}
		if err != nil {
			return nil, err
		}
		signers[site] = s
	}
	return signers, nil
}

// addSignature reads the signature that lies beside a plan, if one does. A signed plan must
// be as patchring wrote it: its bytes are kept with the rollout, for the auditor.
func (o RunOptions) addSignature(src *runSource, raw []byte) error {
	signature, err := os.ReadFile(o.Playbook + signatureSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Usagef("make it readable, or move it away", "the plan's signature can't be read: %v", err)
	}
	written, err := plan.Encode(src.plan)
	if err != nil {
		return fmt.Errorf("encode the plan: %w", err)
	}
	if !bytes.Equal(written, raw) {
		return fault.Usagef("have a plan of this version made and signed: patchring plan PLAYBOOK --sign --out FILE",
			"%s is signed, but not as this patchring would write it", o.Playbook)
	}
	src.raw, src.signed = raw, signature
	return nil
}

// mayStart: where the site takes only signed plans, nothing else begins a rollout. A
// signature that does not hold is refused in any case.
func (e Env) mayStart(f *fleet, src runSource, site string) error {
	trust := f.inv.Sites[site].Trust
	if src.plan != nil {
		if err := asStrict(src.plan, f.inv.Sites[site]); err != nil {
			return err
		}
	}
	demanded := trust.Plans
	switch {
	case !demanded && len(src.signed) == 0, !demanded && trust.AllowedSigners == "":
		return nil
	case src.plan == nil:
		return fault.Usagef("make one with: patchring plan PLAYBOOK --sign --out FILE, then: patchring run FILE", "site %s takes only signed plans, not a playbook", site)
	}
	who, err := signedPlan(f.inv, site, src.raw, src.signed, e.Now())
	if err == nil {
		e.say("the plan is signed by %s (%s)", who.Principal, who.Fingerprint)
	}
	return err
}

// planTrusted verifies the plan of a rollout that is carried on, as long as the site or the
// rollout demands it.
func (e Env) planTrusted(f *fleet, r *openRollout) error {
	if !f.inv.Sites[r.Site].Trust.Plans && !r.state.Opening().Trust.Plans {
		return nil
	}
	raw, err := r.folder.Plan()
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	signature, err := r.folder.PlanSignature()
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	_, err = signedPlan(f.inv, r.Site, raw, signature, e.Now())
	return err
}

// asStrict: a plan that was made before the site demanded as much, or that somebody has edited,
// does not say what must be signed, nor by whom.
func asStrict(p *plan.Plan, site inventory.Site) error {
	less := fault.Usagef("make a new one: patchring plan PLAYBOOK --out FILE", "the plan does not demand the signatures that site %s demands", site.Name)
	has, want := p.Trust, site.Trust
	if (want.Approvals && !has.Approvals) || (want.Plans && !has.Plans) || (want.Checkpoints && !has.Checkpoints) || (want.FourEyes && !has.FourEyes) {
		return less
	}
	for _, r := range p.Rings {
		if a := r.Gate.Approval; a != nil && want.Approvals && !subset(a.People, site.Approvers[a.Approvers]) {
			return fault.Usagef("make a new one: patchring plan PLAYBOOK --out FILE", "the plan lets others approve ring %s than the site's list %s", r.Name, a.Approvers)
		}
	}
	return nil
}

func subset(some, of []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(of, one) })
}
