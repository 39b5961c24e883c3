package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sign"
	"github.com/patchring/patchring/pkg/sshsig"
)

// Whose signatures count, and signing for whoever called.

// allowedSigners reads the site's file of allowed signers; nil where it names none.
func allowedSigners(inv *inventory.Inventory, site string) (*sshsig.Allowed, error) {
	path := inv.Sites[site].Trust.AllowedSigners
	if path == "" {
		return nil, nil //nolint:nilnil // nil: the site has none
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(inv.Path), path)
	}
	src, err := readConfig(path, "it is the allowed_signers of site "+site+" in "+inv.Path)
	if err != nil {
		return nil, err
	}
	return sshsig.ParseAllowed(path, src) //nolint:wrapcheck // names file and line
}

// fold reads a journal, with somebody who vouches for the signatures in it.
func (o Options) fold(ctx context.Context, j journal.Journal) (*rollout.State, error) {
	s, err := engine.Load(ctx, j)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the record
	}
	s.Trust(o.voucher(s.Opening()))
	return s, nil
}

// voucher verifies approvals by the allowed signers as the files say them when it is asked, so
// that a key that is taken out of them counts no more for a run that waits. Nothing is read
// where there is no signature to be verified.
func (o Options) voucher(opened rollout.Opened) rollout.Voucher {
	return func(a rollout.Approved, at time.Time) error {
		inv, err := o.loadInventory()
		if err != nil {
			return err
		}
		signers, err := allowedSigners(inv, opened.Site)
		if err != nil {
			return err
		}
		if signers == nil {
			return errors.New("the site names no allowed_signers")
		}
		message, err := evidence.ApprovalMessage(evidence.ApprovalOf(opened, a))
		if err != nil {
			return err //nolint:wrapcheck // says which value
		}
		who, err := signers.Verify([]byte(a.Signature), message, sshsig.NamespaceApproval, a.As, at)
		if err == nil && who.Fingerprint != a.Key {
			err = fmt.Errorf("it was made with %s, and is recorded as %s", who.Fingerprint, a.Key)
		}
		return err
	}
}

// signer signs with the key of whoever called.
type signer struct {
	key     *sign.Key
	allowed *sshsig.Allowed // nil: nobody says whose key it is
	path    string          // of the file of allowed signers
	now     func() time.Time
}

// signer opens the key of --sign-key; nil where none was named.
func (e Env) signer(ctx context.Context, o Options, inv *inventory.Inventory, site string) (*signer, error) {
	if o.SignKey == "" {
		return nil, nil //nolint:nilnil // nil: none was named
	}
	allowed, err := allowedSigners(inv, site)
	if err != nil {
		return nil, err
	}
	key, err := e.signKey(ctx, o, inv)
	if err != nil {
		return nil, err
	}
	return &signer{key: key, allowed: allowed, path: inv.Sites[site].Trust.AllowedSigners, now: e.Now}, nil
}

func (e Env) signKey(ctx context.Context, o Options, inv *inventory.Inventory) (*sign.Key, error) {
	secrets, err := e.newVault(o, inv)
	if err != nil {
		return nil, err
	}
	key, err := sign.Open(ctx, sign.Options{
		Key: expandHome(o.SignKey, e.Home), Agent: e.Agent, Secrets: secrets, Say: func(text string) { e.say("%s", text) },
	})
	if err != nil {
		return nil, fault.On(err, "", "open the key that signs")
	}
	return key, nil
}

func expandHome(path, home string) string {
	if len(path) > 1 && path[:2] == "~/" && home != "" {
		return filepath.Join(home, path[2:])
	}
	return path
}

// sign gives the signature, and whose it is by the allowed signers, if there are any. A key
// that may not sign this is refused here, before anything rests on it.
func (s *signer) sign(ctx context.Context, namespace string, message []byte) (armoured []byte, as string, err error) {
	armoured, err = s.key.Sign(ctx, namespace, message)
	if err != nil || s.allowed == nil {
		return armoured, "", err //nolint:wrapcheck // says which key
	}
	who, err := s.allowed.Whose(armoured, message, namespace, s.now())
	if err != nil {
		return nil, "", s.notAllowed(namespace, err)
	}
	return armoured, who.Principal, nil
}

// may refuses a key that could not sign this, before anything rests on it. A line that names
// people by a pattern only names nobody, and a security key may have to be touched first: what
// is left to tell is told by the signature itself.
func (s *signer) may(namespace string) error {
	if s.allowed == nil {
		return nil
	}
	if _, err := s.key.Could(s.allowed, namespace, "", s.now()); err != nil {
		return s.notAllowed(namespace, err)
	}
	return nil
}

func (s *signer) notAllowed(namespace string, err error) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Usage, What: fmt.Sprintf("%s does not let the key %s sign this (%s)", s.path, s.key.Fingerprint(), namespace),
		Hint: "name another key with --sign-key, or have its line added to that file", Err: err,
	}
}

// demandedSigner opens the key of --sign-key, which must be there where the site, or the
// rollout since it was opened, demands signed checkpoints.
func (e Env) demandedSigner(ctx context.Context, o Options, inv *inventory.Inventory, site string, demanded bool) (*signer, error) {
	s, err := e.signer(ctx, o, inv, site)
	if s == nil && err == nil && (demanded || inv.Sites[site].Trust.Checkpoints) {
		return nil, noSigner(site)
	}
	if s == nil || err != nil {
		return nil, err
	}
	if err := s.may(sshsig.NamespaceCheckpoint); err != nil {
		return nil, err
	}
	return s, nil
}

func noSigner(site string) error {
	return fault.Usagef("name your SSH key: --sign-key ~/.ssh/id_ed25519 (or its .pub, where the agent has it)",
		"site %s takes only rollouts whose checkpoints are signed", site)
}

// sealer makes the engine's checkpoints; nil where nobody signs them.
func (e Env) sealer(inv *inventory.Inventory, r *openRollout) func(context.Context, string, journal.Mark) (rollout.Sealed, error) {
	if r.signer == nil {
		return nil
	}
	opened := r.state.Opening()
	press := publisher(inv, inv.Sites[r.Site].Trust)
	return func(ctx context.Context, why string, at journal.Mark) (rollout.Sealed, error) {
		sealed := rollout.Sealed{Seq: at.Seq, Line: at.Line, Why: why, Key: r.signer.key.Fingerprint()}
		message, err := evidence.CheckpointMessage(evidence.CheckpointOf(opened, sealed))
		if err != nil {
			return sealed, err //nolint:wrapcheck // says which value
		}
		armoured, as, err := r.signer.sign(ctx, sshsig.NamespaceCheckpoint, message)
		if err != nil {
			return sealed, err
		}
		sealed.As, sealed.Signature = as, string(armoured)
		e.publish(ctx, press, r, sealed, message)
		return sealed, nil
	}
}

// sealNow signs what has no checkpoint yet.
func (e Env) sealNow(ctx context.Context, inv *inventory.Inventory, r *openRollout) error {
	eng := &engine.Engine{Journal: r.journal, Actor: e.Actor, Now: e.Now, Seal: e.sealer(inv, r)}
	return eng.SealNow(ctx) //nolint:wrapcheck // says which checkpoint
}

// publisher is where the site wants its checkpoints to go; nil: nowhere.
func publisher(inv *inventory.Inventory, trust inventory.Trust) *sign.Publisher {
	if !trust.Publish.Any() {
		return nil
	}
	beside := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(filepath.Dir(inv.Path), path)
	}
	return &sign.Publisher{File: beside(trust.Publish.File), URL: trust.Publish.URL, Git: beside(trust.Publish.Git)}
}

// publish brings a checkpoint off the machine. It must not stop a rollout, whose own
// journal has it: what fails is said, and kept to be published by hand.
func (e Env) publish(ctx context.Context, press *sign.Publisher, r *openRollout, sealed rollout.Sealed, message []byte) {
	if press == nil {
		return
	}
	err := press.Publish(ctx, sign.Statement{
		Rollout: r.ID, Site: r.Site, Why: sealed.Why, Seq: sealed.Seq, Line: sealed.Line, Time: e.Now().UTC().Round(0),
		As: sealed.As, Key: sealed.Key, Message: string(message), Signature: sealed.Signature,
	})
	if err != nil {
		e.say("warning: the checkpoint %q of rollout %s was signed, but not published: %v", sealed.Why, r.ID, err)
	}
}

// signedPlan tells who signed a plan; an error where that is not somebody who may.
func signedPlan(inv *inventory.Inventory, site string, raw, signature []byte, now time.Time) (sshsig.Who, error) {
	allowed, err := allowedSigners(inv, site)
	switch {
	case err != nil:
		return sshsig.Who{}, err
	case allowed == nil:
		return sshsig.Who{}, fault.Usagef("write in the inventory, at the site: trust: {allowed_signers: FILE}", "site %s names nobody who may sign plans", site)
	case len(signature) == 0:
		return sshsig.Who{}, fault.Usagef("make it with: patchring plan PLAYBOOK --sign --out FILE, then: patchring run FILE", "site %s takes only signed plans, and this one bears no signature", site)
	}
	who, err := allowed.Whose(signature, raw, sshsig.NamespacePlan, now)
	if err != nil {
		return who, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Usage, What: "the signature of the plan does not hold for site " + site, Err: err,
			Hint: "was the plan changed, or its signer removed from " + inv.Sites[site].Trust.AllowedSigners + "? Have it signed anew: patchring plan PLAYBOOK --sign --out FILE",
		}
	}
	return who, nil
}

// chainTrusted: where something must be signed, a journal that was written anew since is not
// carried on. One that died before it could sign is.
func chainTrusted(inv *inventory.Inventory, r *openRollout) error {
	today, then := inv.Sites[r.Site].Trust, r.state.Opening().Trust
	demanded := today.Checkpoints || then.Checkpoints
	if !demanded && !today.Approvals && !then.Approvals {
		return nil
	}
	allowed, err := allowedSigners(inv, r.Site)
	if err != nil {
		return err
	}
	raw, err := r.chain()
	if err != nil {
		return err
	}
	planned, err := r.folder.Plan()
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	parts, err := evidence.Carried(raw, planned, allowed, demanded)
	var wrong []string
	for _, p := range parts {
		if p.Standing == evidence.Broken {
			wrong = append(wrong, p.Why...)
		}
	}
	if err == nil && len(wrong) == 0 {
		return nil
	}
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Internal, What: "the journal of rollout " + r.ID + " is not what was signed: " + strings.Join(wrong, "; "), Err: err,
		Hint: "somebody changed it, or the allowed signers: put the right ones back from a backup; a rollout that was begun before the site demanded checkpoints is ended with: patchring abort " + r.ID,
	}
}
