package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// maxName bounds a name in a verdict.
const maxName = 120

// signature is one that was looked at.
type signature struct {
	who   sshsig.Who
	known bool // the allowed signers vouch for who
}

func (s signature) String() string {
	if !s.known {
		return "key " + s.who.Fingerprint + ", whose nobody says"
	}
	text := remote.Clean(s.who.Principal, maxName) + " (" + s.who.Fingerprint
	if s.who.Authority != "" {
		text += ", by authority " + s.who.Authority
	}
	if s.who.Touched {
		text += ", touched"
	}
	return text + ")"
}

// look verifies a signature. as is whose it is said to be; "": whoever has the key. Without
// allowed signers it tells only that the signature is that of its key.
func (c Check) look(armored, message []byte, namespace, as string, at time.Time) (signature, error) {
	bare, err := sshsig.Check(armored, message, namespace)
	if err != nil {
		return signature{}, err //nolint:wrapcheck // says what is wrong with it
	}
	s := signature{who: sshsig.Who{Fingerprint: bare.Fingerprint()}}
	switch {
	case c.Allowed == nil:
		return s, nil
	case as == "":
		s.who, err = c.Allowed.Whose(armored, message, namespace, at)
	default:
		s.who, err = c.Allowed.Verify(armored, message, namespace, as, at)
	}
	s.known = err == nil
	return s, err //nolint:wrapcheck // says who is not allowed
}

const noSigners = "no allowed_signers was given, so that nobody can tell whose key that is"

// signedManifest: whoever vouches for the bundle vouches for every byte of it. When it was
// signed is not known: between the last record and now.
func (a *audit) signedManifest() {
	p := Part{Name: PartManifest, Demanded: true, Standing: Absent}
	defer func() { a.add(p) }()
	armored, there := a.files[nameManifestSig]
	if !there {
		p.say("the bundle is not signed: whoever had it may have made all of it")
		return
	}
	s, late, err := a.lookBetween(armored, a.files[nameManifest], sshsig.NamespaceEvidence, a.history.last(), a.Now)
	if err == nil {
		err = armouredOnce(armored)
	}
	if p.Standing, p.Why = judge(s, err); p.Standing != Broken {
		a.verdict.Signer = s.String()
	}
	if late {
		p.say("this key was valid after the rollout, and has expired since")
	}
}

// armouredOnce: the one way of writing a signature, so that nothing stands beside it.
func armouredOnce(armored []byte) error {
	s, err := sshsig.Parse(armored)
	if err == nil && !bytes.Equal(s.Armored(), armored) {
		err = errors.New("the signature is written in another way than patchring writes it")
	}
	return err //nolint:wrapcheck // says what is wrong with it
}

// judge is the standing that a signature gives to what it is over.
func judge(s signature, err error) (Standing, []string) {
	switch {
	case err != nil:
		return Broken, []string{err.Error()}
	case !s.known:
		return NotProven, []string{"signed with " + s.String() + ": " + noSigners}
	}
	return Proven, []string{"signed by " + s.String()}
}

func (a *audit) signedPlan() {
	p := Part{Name: PartPlanSigned, Demanded: a.history.opened.Trust.Plans || a.Demand.Plans, Standing: Absent}
	defer func() { a.add(p) }()
	armored, there := a.files[namePlanSig]
	if !there {
		p.say("the plan was not signed")
		return
	}
	s, err := a.look(armored, a.files[namePlan], sshsig.NamespacePlan, "", a.history.events[0].Time)
	p.Standing, p.Why = judge(s, err)
}

// approvals: every gate that asked for people got their words, for what it then opened for.
// A gate that asked demands them, signed or not: what nobody can prove is not proven.
func (a *audit) approvals() {
	p := Part{Name: PartApprovals, Standing: Absent, Demanded: a.Demand.Approvals || a.Demand.FourEyes}
	starter := a.starter()
	for _, e := range a.history.events {
		gate, ok := e.Entry.(rollout.GateOpened)
		if !ok {
			continue
		}
		asked := a.history.asked(gate.Ring)
		if asked == nil {
			continue
		}
		if p.Standing == Absent {
			p.Standing, p.Demanded = Proven, true
		}
		b := ballot{audit: a, gate: gate, event: e, asked: *asked, starter: starter}
		standing, why := b.count()
		p.Standing = min(p.Standing, standing)
		p.Why = append(p.Why, why...)
	}
	if bad := a.forged(); len(bad) > 0 {
		p.Standing, p.Why = Broken, append(p.Why, bad...)
	}
	if p.Standing == Absent {
		p.say("no gate that opened asked for an approval")
	}
	a.add(p)
}

// forged names approvals, counted or not, whose signature is not over what the journal says
// of them. Nothing that patchring records is such a one.
func (a *audit) forged() []string {
	var bad []string
	for _, e := range a.history.events {
		entry, ok := e.Entry.(rollout.Approved)
		if !ok || entry.Signature == "" {
			continue
		}
		message, err := ApprovalMessage(ApprovalOf(a.history.opened, entry))
		if err == nil {
			err = signedBy([]byte(entry.Signature), message, sshsig.NamespaceApproval, entry.Key)
		}
		if err != nil {
			bad = append(bad, fmt.Sprintf("record %d: the approval of ring %s: %v", e.Seq, entry.Ring, err))
		}
	}
	return bad
}

// signedBy: the signature is good, and that of the key that the journal names.
func signedBy(armored, message []byte, namespace, key string) error {
	s, err := sshsig.Check(armored, message, namespace)
	if err == nil && s.Fingerprint() != key {
		err = fmt.Errorf("signed by key %s, and not by the one that the journal names", s.Fingerprint())
	}
	return err //nolint:wrapcheck // says what is wrong with it
}
