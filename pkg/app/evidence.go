package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
	"github.com/patchring/patchring/pkg/statedir"
	"github.com/patchring/patchring/pkg/store"
)

// EvidenceOptions are those of `evidence`.
type EvidenceOptions struct {
	Options
	Rollout string // of export
	Out     string // of export; "": ROLLOUT-evidence.zip
	Force   bool   // an existing file is replaced
	File    string // of verify
	// AllowedSigners and Published are paths of the auditor's own files; "": none.
	AllowedSigners string
	Published      string
	Demand         []string // what must be proven, whatever the rollout itself demanded
}

// maxJournal bounds what is read of one journal.
const maxJournal = 2 << 30

// ExportEvidence writes the bundle of a rollout. It needs the state folder alone: no host, no
// playbook. The inventory, where there is one, says whether the key may sign.
func (e Env) ExportEvidence(ctx context.Context, o EvidenceOptions) (Ending, error) {
	r, err := o.openRollout(ctx, o.Rollout)
	if err != nil {
		return Ending{}, err
	}
	defer r.Close()
	if r.state.Phase() == rollout.PhaseNone {
		return Ending{}, emptyJournal(r)
	}
	e.sayDamage(r)
	sign, err := e.evidenceSigner(ctx, o.Options, r)
	if err != nil {
		return Ending{}, err
	}
	source, err := e.evidenceOf(r)
	if err != nil {
		return Ending{}, err
	}
	archive, err := evidence.Build(source, sign)
	if err != nil {
		return Ending{}, fault.On(err, "", "make the bundle of rollout "+r.ID)
	}
	path := o.Out
	if path == "" {
		path = r.ID + "-evidence.zip"
	}
	if err := writeBundle(path, archive, o.Force); err != nil {
		return Ending{}, err
	}
	e.say("evidence of rollout %s written to %s: %d bytes, %s", r.ID, path, len(archive), patch.DigestOf(archive))
	if !over(r.state) {
		e.say("note: the rollout is not finished (%s): what comes after is not in it", r.state.Phase())
	}
	return Ending{Next: "patchring evidence verify " + path + " --allowed-signers FILE"}, nil
}

// evidenceSigner signs manifests; nil without a key. A checkpoint that is due is signed first.
func (e Env) evidenceSigner(ctx context.Context, o Options, r *openRollout) (evidence.Sign, error) {
	if o.SignKey == "" {
		e.say("note: the bundle is not signed, so that it proves little; sign it with: --sign-key ~/.ssh/id_ed25519")
		return nil, nil
	}
	inv, err := o.loadInventory()
	if err != nil {
		e.say("note: no inventory says whether this key may sign evidence: %v", err)
		return e.evidenceKey(ctx, o)
	}
	s, err := e.signer(ctx, o, inv, r.Site)
	if err == nil {
		err = s.may(sshsig.NamespaceEvidence)
	}
	if err != nil {
		return nil, err
	}
	r.signer = s
	e.sealFirst(ctx, inv, r)
	return func(manifest []byte) ([]byte, error) {
		armoured, _, err := s.sign(ctx, sshsig.NamespaceEvidence, manifest)
		return armoured, err
	}, nil
}

func (e Env) evidenceKey(ctx context.Context, o Options) (evidence.Sign, error) {
	key, err := e.signKey(ctx, o, nil)
	if err != nil {
		return nil, err
	}
	return func(manifest []byte) ([]byte, error) {
		return key.Sign(ctx, sshsig.NamespaceEvidence, manifest) //nolint:wrapcheck // says which key
	}, nil
}

// sealFirst makes the checkpoint that is due: the run that came to the end could not. Not the
// first one of a rollout, whose key tells who started it; not with a key that may not; and not
// over a journal that is not what was signed: that is evidence as it stands.
func (e Env) sealFirst(ctx context.Context, inv *inventory.Inventory, r *openRollout) {
	why, due := r.state.SealDue()
	if !due || why == "opened" {
		return
	}
	sealed, err := r.wasSealed(ctx)
	if err == nil && !sealed {
		return
	}
	if err == nil {
		err = r.signer.may(sshsig.NamespaceCheckpoint)
	}
	if err == nil {
		err = chainTrusted(inv, r)
	}
	if err == nil {
		err = e.sealNow(ctx, inv, r)
	}
	if err != nil {
		e.say("note: the checkpoint %q is still missing: %v", why, err)
		return
	}
	e.say("the checkpoint %q was missing, and is signed now", why)
}

// wasSealed tells whether anybody has made a checkpoint.
func (r *openRollout) wasSealed(ctx context.Context) (sealed bool, err error) {
	kind := rollout.Sealed{}.Kind()
	err = r.journal.Read(ctx, 1, func(record journal.Record) error {
		sealed = sealed || record.Kind == kind
		return nil
	})
	return sealed, err //nolint:wrapcheck // names the record
}

// evidenceOf gathers what a bundle is made of.
func (e Env) evidenceOf(r *openRollout) (evidence.Source, error) {
	var s evidence.Source
	var err error
	if s.Journal, err = r.chain(); err != nil {
		return s, err
	}
	if s.Plan, err = r.folder.Plan(); err != nil {
		return s, err //nolint:wrapcheck // names the rollout
	}
	if s.PlanSignature, err = r.folder.PlanSignature(); err != nil {
		return s, err //nolint:wrapcheck // names the rollout
	}
	if s.Objects, err = e.evidenceObjects(r, s.Journal); err != nil {
		return s, err
	}
	s.Tool = e.Version
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return s, errors.New("this binary does not know what it is built from: it was built without module support")
	}
	s.SBOM, err = evidence.SBOM(build, e.Version)
	return s, err //nolint:wrapcheck // says what
}

// chain reads the journal's whole lines, as they stand there.
func (r *openRollout) chain() ([]byte, error) {
	f, err := r.folder.Root().Open(statedir.JournalName)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxJournal+1))
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	if len(raw) > maxJournal {
		return nil, fmt.Errorf("the journal has more than %d bytes", maxJournal)
	}
	return evidence.Whole(raw), nil
}

// evidenceObjects reads what the journal names in the store. What is gone from there is
// listed in the bundle as missing.
func (e Env) evidenceObjects(r *openRollout, journal []byte) (map[patch.Digest][]byte, error) {
	wanted, err := evidence.Wanted(journal)
	if err != nil {
		return nil, fault.On(err, "", "read the journal of rollout "+r.ID)
	}
	all, gone := map[patch.Digest][]byte{}, 0
	for _, d := range wanted {
		content, err := r.store.Get(d, maxFacts)
		switch {
		case err == nil:
			all[d] = content
		case errors.Is(err, store.ErrNotFound):
			gone++
		default:
			e.say("warning: %v", err)
			gone++
		}
	}
	if gone > 0 {
		e.say("note: %d of the %d facts and samples that the journal names are not in the store any more", gone, len(wanted))
	}
	return all, nil
}

// writeBundle writes a new file, or with force replaces one, whole or not at all.
func writeBundle(path string, archive []byte, force bool) error {
	name := path
	if force {
		name = filepath.Join(filepath.Dir(path), ".new-"+filepath.Base(path))
		_ = os.Remove(name) // of a process that was killed here
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names the file
	switch {
	case errors.Is(err, fs.ErrExist):
		return fault.Usagef("name another with --out, or replace it with --force", "%s is there already", path)
	case err != nil:
		return fault.Usagef("name a file that can be written with --out", "write the bundle: %v", err)
	}
	_, err = f.Write(archive)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil && force {
		err = os.Rename(name, path)
	}
	if err != nil {
		return fmt.Errorf("write the bundle: %w", errors.Join(err, os.Remove(name)))
	}
	return nil
}

// VerifyEvidence tells what a bundle proves. It needs nothing but the files named.
func (e Env) VerifyEvidence(_ context.Context, o EvidenceOptions) (Ending, error) {
	c := evidence.Check{Now: e.Now()}
	var err error
	if c.Archive, err = readFileOf(o.File, "name the zip that was written by: patchring evidence export ROLLOUT"); err != nil {
		return Ending{}, err
	}
	if c.Demand, err = demandOf(o.Demand); err != nil {
		return Ending{}, err
	}
	if c.Allowed, err = auditorsSigners(o.AllowedSigners); err != nil {
		return Ending{}, err
	}
	if o.Published != "" {
		if c.Published, err = readFileOf(o.Published, "name the file that checkpoints were published to"); err != nil {
			return Ending{}, err
		}
		c.Published = append([]byte{}, c.Published...) // an empty file is not none
	}
	verdict, err := evidence.Verify(c)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // carries a hint
	}
	doc := report.NewEvidence(verdict)
	end := Ending{Ending: doc.Exit}
	if o.AllowedSigners == "" && end.Code != report.ExitDone {
		end.Next = "patchring evidence verify " + o.File + " --allowed-signers FILE"
	}
	return end, e.print(o.Options, doc)
}

// demandOf reads what an auditor demands.
func demandOf(words []string) (plan.Trust, error) {
	var t plan.Trust
	rules := map[string]*bool{"approvals": &t.Approvals, "plans": &t.Plans, "checkpoints": &t.Checkpoints, "four_eyes": &t.FourEyes}
	for _, word := range words {
		rule, ok := rules[word]
		if !ok {
			return t, fault.Usagef("give some of: --demand approvals,plans,checkpoints,four_eyes", "--demand knows no %q", word)
		}
		*rule = true
	}
	return t, nil
}

// auditorsSigners reads no more than such a file may have: the next reader says so.
func auditorsSigners(path string) (*sshsig.Allowed, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // nil: nobody is known
	}
	src, err := readUpTo(path, maxSigners, "name the file that says who may sign: ssh-keygen(1), ALLOWED SIGNERS")
	if err != nil {
		return nil, err
	}
	return sshsig.ParseAllowed(path, src) //nolint:wrapcheck // names file and line
}

// maxSigners is more than allowed_signers may have: whoever reads it says so.
const maxSigners = 2 << 20

// maxBundle is a byte more than a zip without 64-bit extension can have.
const maxBundle = 1 << 32

func readFileOf(path, hint string) ([]byte, error) { return readUpTo(path, maxBundle, hint) }

func readUpTo(path string, most int64, hint string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "can't read " + path, Err: err, Hint: hint}
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "can't read " + path, Err: err, Hint: hint}
	}
	return raw, nil
}
