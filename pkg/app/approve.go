package app

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// ApproveOptions are those of `approve`.
type ApproveOptions struct {
	Options
	Rollout string
	Ring    string // "": the one whose gate waits for an approval
	As      string // whose word it is; "": Env.Actor, or whom the key belongs to
	Reason  string
	Request bool   // print what is to be signed, and journal nothing
	Signed  string // a file made by Request, whose signature lies beside it (.sig)
}

// Approve journals one approver's word for a ring: signed with --sign-key, signed elsewhere,
// or, where the site lets that count, just typed.
func (e Env) Approve(ctx context.Context, o ApproveOptions) (Ending, error) {
	if o.Request && o.Signed != "" {
		return Ending{}, fault.Usagef("first --request, then ssh-keygen -Y sign, then --signed FILE", "--request and --signed are two steps")
	}
	if o.Request {
		return e.requestApproval(ctx, o)
	}
	word := &approval{ApproveOptions: o, env: e}
	return e.speak(ctx, o.Options, o.Rollout, func(s *rollout.State) (rollout.Entry, error) { return word.entry(ctx, s) })
}

// requestApproval prints the message that an approver signs on a machine of their own.
func (e Env) requestApproval(ctx context.Context, o ApproveOptions) (Ending, error) {
	r, err := o.openRollout(ctx, o.Rollout)
	if err != nil {
		return Ending{}, err
	}
	defer r.Close()
	if o.As == "" {
		return Ending{}, fault.Usagef("add --as jane@hq.example", "the message names whose word it is")
	}
	a, err := o.word(r.state, e, true)
	if err != nil {
		return Ending{}, refused(r.ID, err)
	}
	message, err := evidence.ApprovalMessage(evidence.ApprovalOf(r.state.Opening(), a))
	if err != nil {
		return Ending{}, refused(r.ID, err)
	}
	e.say("save it as approval.txt; its signer types: ssh-keygen -Y sign -n %s -f KEY approval.txt\nthen: patchring approve %s --signed approval.txt", sshsig.NamespaceApproval, r.ID)
	_, err = e.Out.Write(message)
	return Ending{}, err //nolint:wrapcheck // stdout
}

// word is the approval without a signature.
func (o ApproveOptions) word(s *rollout.State, e Env, signed bool) (rollout.Approved, error) {
	ring := o.Ring
	if ring == "" {
		ring = waitingRing(s, e.Now())
	}
	if ring == "" {
		return rollout.Approved{}, fault.Usagef("see: patchring status "+o.Rollout, "no ring of rollout %s waits for an approval", o.Rollout)
	}
	as := o.As
	if as == "" {
		as = e.Actor
	}
	return s.Approve(ring, e.Actor, as, o.Reason, signed, e.Now()) //nolint:wrapcheck // speak names the rollout
}

// approval is one call of approve. What was signed once is not signed again when the
// journal moved meanwhile and the word is still the same: a key may want to be touched.
type approval struct {
	ApproveOptions
	env     Env
	message []byte
	signed  []byte
}

func (a *approval) entry(ctx context.Context, s *rollout.State) (rollout.Entry, error) {
	if a.ApproveOptions.Signed != "" {
		return a.fromFile(s)
	}
	if a.SignKey == "" {
		return a.typed(s)
	}
	return a.bySigning(ctx, s)
}

// typed is a word that nothing proves.
func (a *approval) typed(s *rollout.State) (rollout.Entry, error) {
	if s.Opening().Trust.Approvals {
		return nil, fault.Usagef("add --sign-key ~/.ssh/id_ed25519 (or its .pub, where the agent has it); on another machine: patchring approve "+a.Rollout+" --request --as NAME",
			"site %s takes signed approvals only", s.Opening().Site)
	}
	return a.word(s, a.env, false)
}

func (a *approval) bySigning(ctx context.Context, s *rollout.State) (rollout.Entry, error) {
	inv, err := a.loadInventory()
	if err != nil {
		return nil, err
	}
	signer, err := a.env.signer(ctx, a.Options, inv, s.Opening().Site)
	if err != nil {
		return nil, err
	}
	if a.As == "" {
		return nil, fault.Usagef("add --as jane@hq.example, as the site's approvers and allowed signers name you", "a signed approval says whose word it is")
	}
	made, err := a.word(s, a.env, true)
	if err != nil {
		return nil, err
	}
	made.Key = signer.key.Fingerprint()
	return a.complete(s, made, func(message []byte) ([]byte, error) {
		return signer.key.Sign(ctx, sshsig.NamespaceApproval, message) //nolint:wrapcheck // says which key
	})
}

// complete signs the word, and verifies the signature as every run will do.
func (a *approval) complete(s *rollout.State, made rollout.Approved, sign func([]byte) ([]byte, error)) (rollout.Entry, error) {
	message, err := evidence.ApprovalMessage(evidence.ApprovalOf(s.Opening(), made))
	if err != nil {
		return nil, err //nolint:wrapcheck // says which value
	}
	if !bytes.Equal(message, a.message) {
		if a.signed, err = sign(message); err != nil {
			return nil, err
		}
		a.message = message
	}
	made.Signature = string(a.signed)
	if err := a.voucher(s.Opening())(made, a.env.Now()); err != nil {
		return a.unproven(s, made, err)
	}
	made.Authenticated = true
	return made, nil
}

// unproven: where nothing must be signed, a signature that nobody vouches for is kept for
// the auditor, and counts as a name that was typed.
func (a *approval) unproven(s *rollout.State, made rollout.Approved, why error) (rollout.Entry, error) {
	inv, err := a.loadInventory()
	if err != nil {
		return nil, err
	}
	if trust := inv.Sites[s.Opening().Site].Trust; trust.AllowedSigners != "" || s.Opening().Trust.Approvals {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Usage, What: fmt.Sprintf("%s does not let %s sign approvals as %s", trust.AllowedSigners, made.Key, made.As), Err: why,
			Hint: "check --as and --sign-key against that file; its namespaces option, if there is one, must name " + sshsig.NamespaceApproval,
		}
	}
	return made, nil
}

// fromFile takes a word that was signed on another machine.
func (a *approval) fromFile(s *rollout.State) (rollout.Entry, error) {
	message, err := readConfig(a.ApproveOptions.Signed, "make it with: patchring approve "+a.Rollout+" --request --as NAME")
	if err != nil {
		return nil, err
	}
	armoured, err := readConfig(a.ApproveOptions.Signed+signatureSuffix, "sign it: ssh-keygen -Y sign -n "+sshsig.NamespaceApproval+" -f KEY "+a.ApproveOptions.Signed)
	if err != nil {
		return nil, err
	}
	said, err := evidence.ParseApproval(message)
	if err != nil {
		return nil, fault.Usagef("make it anew: patchring approve "+a.Rollout+" --request --as NAME", "%s is not an approval: %v", a.ApproveOptions.Signed, err)
	}
	made := rollout.Approved{Ring: said.Ring, Plan: said.Plan, Set: said.Set, By: a.env.Actor, As: said.As, Expires: said.Expires, Reason: said.Reason}
	if err := fits(s, said, made, a.env.Now()); err != nil {
		return nil, err
	}
	signature, err := sshsig.Parse(armoured)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what is wrong
	}
	made.Key = signature.Fingerprint()
	return a.complete(s, made, func([]byte) ([]byte, error) { return armoured, nil })
}

// fits: a word that was signed for something else, or for longer than the gate lets it hold,
// is not a word for this ring.
func fits(s *rollout.State, said evidence.Approval, made rollout.Approved, now time.Time) error {
	want, err := s.Approve(made.Ring, made.By, made.As, made.Reason, true, now)
	if err != nil {
		return err //nolint:wrapcheck // speak names the rollout
	}
	meant := evidence.ApprovalOf(s.Opening(), want)
	meant.Expires = said.Expires
	switch {
	case meant != said:
		return fault.Usagef("make a new one: patchring approve "+s.ID()+" --request --as NAME", "it was signed for another rollout, plan or patch set")
	case !now.Before(said.Expires):
		return fault.Usagef("make a new one: patchring approve "+s.ID()+" --request --as NAME", "it ran out %s", said.Expires.Format(time.RFC3339))
	case said.Expires.After(want.Expires):
		return fault.Usagef("make a new one: patchring approve "+s.ID()+" --request --as NAME", "it would hold until %s, longer than the gate lets an approval hold", said.Expires.Format(time.RFC3339))
	}
	return nil
}
