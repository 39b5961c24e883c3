package connect

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// keyChecker judges the host key of one handshake.
type keyChecker struct {
	fleet   *Fleet
	to      endpoint
	known   *knownHosts
	wanted  []wantedKey
	refused []ssh.PublicKey // of earlier attempts: not what is pinned
	record  bool            // accept-new may write
	seen    ssh.PublicKey
	notPin  bool // seen is not what is pinned; another kind may be
	verdict error
}

// wantedKey is a key that is known for a name, with where it is written.
type wantedKey struct {
	key       ssh.PublicKey
	authority bool
	file      string
	line      int // 0: accepted by this run
}

func (f *Fleet) checker(to endpoint, refused []ssh.PublicKey) (*keyChecker, error) {
	known, err := f.knownHosts(to.site)
	if err != nil {
		return nil, err
	}
	return &keyChecker{fleet: f, to: to, known: known, wanted: known.wanted(to.name), refused: refused, record: f.opts.AcceptNew}, nil
}

// algorithms orders what the library supports: kinds of keys that are known for the
// name first, then as OpenSSH would. A kind that was shown and is not pinned is left
// out, so that the server shows another.
func (k *keyChecker) algorithms() []string {
	var order []string
	for _, w := range k.wanted {
		order = append(order, algorithmsOf(w.key.Type(), w.authority)...)
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

// preferred is the order for a host that nothing is known of. Certificates come last:
// without a known authority they can't be judged.
func preferred() []string {
	kinds := []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA}
	var out []string
	for _, certified := range []bool{false, true} {
		for _, kind := range kinds {
			out = append(out, algorithmsOf(kind, certified)...)
		}
	}
	return out
}

// check is the library's callback, called once the server proved that it holds key.
func (k *keyChecker) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	k.seen = key
	k.verdict = k.judge(key)
	return k.verdict
}

func (k *keyChecker) judge(key ssh.PublicKey) error {
	err := k.known.check(k.to.name, key)
	if revoked, ok := errors.AsType[*xknownhosts.RevokedError](err); ok {
		return k.changed(fmt.Sprintf("%s:%d marks this key as revoked",
			k.known.original(revoked.Revoked.Filename), revoked.Revoked.Line), "")
	}
	if len(k.to.pins) > 0 {
		return k.pinned(key)
	}
	if err == nil {
		return nil
	}
	if plain := k.plainWanted(); len(plain) > 0 {
		return k.differs(key, plain)
	}
	if k.record && len(k.wanted) == 0 && !isCertificate(key) {
		return k.accept(key)
	}
	return k.unknown(key, err)
}

// pinned: the inventory's fingerprints are the only truth.
func (k *keyChecker) pinned(key ssh.PublicKey) error {
	for _, candidate := range bareKeys(key) {
		if slices.Contains(k.to.pins, ssh.FingerprintSHA256(candidate)) {
			return nil
		}
	}
	k.notPin = true
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

func (k *keyChecker) plainWanted() []wantedKey {
	return slices.DeleteFunc(slices.Clone(k.wanted), func(w wantedKey) bool { return w.authority })
}

func (k *keyChecker) differs(key ssh.PublicKey, known []wantedKey) error {
	first := known[0]
	for _, w := range known {
		if w.key.Type() == key.Type() {
			first = w
			break
		}
	}
	where := fmt.Sprintf("%s:%d", first.file, first.line)
	if first.line == 0 {
		where = first.file + " (written by this run)"
	}
	forget := remote.Quote([]string{"ssh-keygen", "-R", xknownhosts.Normalize(k.to.name), "-f", first.file})
	return k.changed(fmt.Sprintf("%s holds %s, the host showed %s", where, describeKeys([]ssh.PublicKey{first.key}), describeKeys([]ssh.PublicKey{key})),
		"was it reinstalled? Compare the fingerprint on its console, then forget the old key: "+forget+
			" — else someone may stand between you and the host")
}

func describeKeys(keys []ssh.PublicKey) string {
	var out []string
	for _, key := range keys {
		for _, bare := range bareKeys(key) {
			out = append(out, bare.Type()+" "+ssh.FingerprintSHA256(bare))
		}
	}
	return strings.Join(out, ", ")
}

func (k *keyChecker) changed(why, hint string) error {
	if hint == "" {
		hint = "the host must get a new key before anyone connects to it"
	}
	return &fault.Error{
		Kind: fault.Ask, Code: fault.HostKeyChanged, Step: k.to.step(),
		What: k.to.what("host key changed: " + why), Hint: "not tried again in this run; " + hint,
	}
}

// unknown also covers a certificate that no known authority vouches for.
func (k *keyChecker) unknown(key ssh.PublicKey, why error) error {
	what := "host key unknown: " + describeKeys([]ssh.PublicKey{key})
	if keyErr := (*xknownhosts.KeyError)(nil); !errors.As(why, &keyErr) || len(k.wanted) > 0 {
		what += " (" + remote.Clean(strings.TrimPrefix(why.Error(), "ssh: "), 200) + ")"
	}
	return &fault.Error{
		Kind: fault.Ask, Code: fault.HostKeyUnknown, Step: k.to.step(), What: k.to.what(what), Hint: k.unknownHint(),
	}
}

func (k *keyChecker) unknownHint() string {
	file := "known_hosts"
	if files := k.fleet.opts.KnownHosts(k.to.site); len(files) > 0 {
		file = files[0]
	}
	host, port, _ := net.SplitHostPort(k.to.address)
	scan := remote.Quote([]string{"ssh-keyscan", "-p", port, host}) + " >> " + remote.Quote([]string{file})
	if k.to.via != "" {
		scan = "(from the bastion) " + scan
	}
	return "compare the fingerprint on the host's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: " +
		scan + " — or run once with --accept-new-host-keys"
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
