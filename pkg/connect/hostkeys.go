package connect

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyChecker judges the host key of one handshake.
type keyChecker struct {
	fleet   *Fleet
	to      endpoint
	known   *knownHosts
	wanted  []knownLine
	loose   bool            // wanted is of the name without its port
	refused []ssh.PublicKey // of earlier attempts: not what is pinned
	record  bool            // accept-new may write

	seen     ssh.PublicKey
	standing Standing
	where    string // the line that decided; "": none
	notPin   bool   // seen is not what is pinned; another kind may be
	verdict  error
}

func (f *Fleet) checker(to endpoint, refused []ssh.PublicKey) (*keyChecker, error) {
	known, err := f.knownHosts(to.site)
	if err != nil {
		return nil, err
	}
	k := &keyChecker{fleet: f, to: to, known: known, refused: refused, record: f.opts.AcceptNew}
	k.wanted, k.loose = known.about(to.name)
	return k, nil
}

// algorithms orders what the library supports: kinds of keys that are known for the
// name first, then as OpenSSH would. A kind that was shown and is not pinned is left
// out, so that the server shows another.
func (k *keyChecker) algorithms() []string {
	var order []string
	if k.hasAuthority() { // of whatever kind it is itself, it certifies keys of any kind
		order = kindsOf(true)
	}
	for _, w := range k.plainKnown() {
		order = append(order, algorithmsOf(w.key.Type(), false)...)
	}
	order = append(order, preferred()...)
	supported := ssh.SupportedAlgorithms().HostKeys
	seen := map[string]bool{}
	order = slices.DeleteFunc(order, func(algorithm string) bool {
		drop := seen[algorithm] || !slices.Contains(supported, algorithm) || k.wasRefused(algorithm)
		seen[algorithm] = true
		return drop
	})
	return append(order, k.legacyKinds()...)
}

func (k *keyChecker) wasRefused(algorithm string) bool {
	return slices.ContainsFunc(k.refused, func(key ssh.PublicKey) bool {
		return slices.Contains(algorithmsOf(key.Type(), false), algorithm)
	})
}

// algorithmsOf are the signature algorithms of a kind of key, best first.
func algorithmsOf(kind string, certified bool) []string {
	plain := []string{kind}
	if kind == ssh.KeyAlgoRSA {
		plain = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	if !certified {
		return plain
	}
	var out []string
	for _, algorithm := range plain {
		out = append(out, algorithm+"-cert-v01@openssh.com")
	}
	return out
}

// kindsOf are the algorithms of every kind of key that is learned, best first.
func kindsOf(certified bool) []string {
	var out []string
	for _, kind := range learnedKinds() {
		out = append(out, algorithmsOf(kind, certified)...)
	}
	return out
}

// kindDSA is never learned: only what the inventory allows for old devices.
const kindDSA = "ssh-dss"

func learnedKinds() []string {
	return []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA}
}

// preferred is the order for a host that nothing is known of. Certificates come last:
// without a known authority they can't be judged.
func preferred() []string { return append(kindsOf(false), kindsOf(true)...) }

// check is the library's callback, called once the server proved that it holds key.
func (k *keyChecker) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	k.seen = key
	k.verdict = k.judge(key)
	return k.verdict
}

func (k *keyChecker) judge(key ssh.PublicKey) error {
	if l, ok := k.known.revokedBy(key); ok {
		return k.revoked(key, l)
	}
	if len(k.to.pins) > 0 {
		return k.pinned(key)
	}
	why := k.vouched(key)
	if why == nil {
		k.standing = Trusted
		return nil
	}
	if plain := k.plainWanted(); len(plain) > 0 {
		return k.differs(key, plain)
	}
	if k.record && !isCertificate(key) && !k.hasAuthority() {
		return k.accept(key)
	}
	return k.unknown(key, why)
}

// errUnknown: no line speaks of the key.
var errUnknown = errors.New("no line of known_hosts holds it")

// vouched is nil where a line holds the key, or a known authority signed its certificate.
// As OpenSSH, it takes the bare key of a certificate that is no good for a plain one.
func (k *keyChecker) vouched(key ssh.PublicKey) error {
	why := errUnknown
	if cert, ok := key.(*ssh.Certificate); ok {
		if why = k.certified(cert); why == nil {
			return nil
		}
	}
	for _, l := range k.wanted {
		if l.mark == markNone && sameKey(l.key, bareKeys(key)[0]) {
			k.where = l.place()
			return nil
		}
	}
	return why
}

func (k *keyChecker) certified(cert *ssh.Certificate) error {
	at := slices.IndexFunc(k.wanted, func(l knownLine) bool { return l.mark == markAuthority && sameKey(l.key, cert.SignatureKey) })
	switch {
	case at < 0:
		return errors.New("no known authority signed its certificate")
	case cert.CertType != ssh.HostCert:
		return errors.New("its certificate is not one of a host")
	case cert.Signature.Format == ssh.KeyAlgoRSA, cert.Signature.Format == kindDSA:
		return errors.New("its certificate is signed with SHA-1")
	}
	host, _, err := net.SplitHostPort(k.to.name)
	if err != nil {
		return err
	}
	if err := (&ssh.CertChecker{}).CheckCert(strings.ToLower(host), cert); err != nil { // as OpenSSH (ssh.c, lowercase)
		return err
	}
	k.where = k.wanted[at].place()
	return nil
}

// plainKnown are the lines of plain keys, loose ones too.
func (k *keyChecker) plainKnown() []knownLine {
	return slices.DeleteFunc(slices.Clone(k.wanted), func(l knownLine) bool { return l.mark != markNone })
}

func (k *keyChecker) hasAuthority() bool {
	return slices.ContainsFunc(k.wanted, func(l knownLine) bool { return l.mark == markAuthority })
}

// pinned: the inventory's fingerprints are the only truth.
func (k *keyChecker) pinned(key ssh.PublicKey) error {
	for _, candidate := range bareKeys(key) {
		if slices.Contains(k.to.pins, ssh.FingerprintSHA256(candidate)) {
			k.standing = Trusted
			return nil
		}
	}
	k.notPin, k.standing = true, OtherKind
	return k.changed(fmt.Sprintf("the inventory pins %s, the host showed %s",
		strings.Join(k.to.pins, " or "), describeKeys(append(slices.Clone(k.refused), key))),
		"compare with ssh-keygen -lf on the host's console, then correct host_keys in the inventory")
}

func bareKeys(key ssh.PublicKey) []ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return []ssh.PublicKey{cert.Key}
	}
	return []ssh.PublicKey{key}
}

func isCertificate(key ssh.PublicKey) bool {
	_, ok := key.(*ssh.Certificate)
	return ok
}

// plainWanted are the lines that another key would contradict.
func (k *keyChecker) plainWanted() []knownLine {
	if k.loose {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(k.wanted), func(l knownLine) bool { return l.mark != markNone })
}

// unpinned gives the key that was shown instead of a pinned one.
func (k *keyChecker) unpinned() ssh.PublicKey {
	if k.notPin {
		return k.seen
	}
	return nil
}

// noCommonKind is the verdict when the server shows no key at all of a kind that
// was asked for: with refused ones, the pinned key is not there.
func (k *keyChecker) noCommonKind() error {
	if len(k.refused) > 0 {
		last := len(k.refused) - 1
		k.refused, k.seen = k.refused[:last], k.refused[last]
		verdict := k.pinned(k.seen)
		k.notPin = false // there is no other kind left
		return verdict
	}
	return nil
}
