package connect

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// ShownKey is one key that a host showed, and how it stands.
type ShownKey struct {
	HostKey
	Standing Standing
	Where    string // file:line that decided; "": none
	Why      error  // why it is not trusted; nil where it is

	key ssh.PublicKey
}

// KnownKey is one key that a file holds for a host.
type KnownKey struct {
	Type, Fingerprint, Where string
}

// KeySurvey is every key that a host shows, held against what is known of it.
type KeySurvey struct {
	Name     string   // as known_hosts writes it
	File     string   // where a new key would be recorded; "": nowhere
	Pins     []string // of the inventory: then nothing else counts
	Shown    []ShownKey
	Absent   []KnownKey // known, but the host shows no key of that kind any more
	Standing Standing

	hash bool // ssh_config has known_hosts hashed
}

// Survey looks at all keys of a host, one handshake a kind and one at a time, and logs in
// nowhere. Nothing is recorded. An error is what Lease would say where no key was seen.
func (f *Fleet) Survey(ctx context.Context, h inventory.Host, s inventory.Site) (KeySurvey, error) {
	g, err := f.glance(ctx, h, s)
	if err != nil {
		return KeySurvey{}, err
	}
	defer g.end()
	known, err := f.knownHosts(g.to.site)
	if err != nil {
		return KeySurvey{}, g.named(err)
	}
	lines, loose := known.about(g.to.name)
	out := KeySurvey{Name: knownName(g.to.name), Pins: g.to.pins, hash: g.to.hashKnown}
	if len(known.files) > 0 {
		out.File = known.files[0]
	}
	seen, err := g.all(ctx, lines)
	if err != nil {
		return out, g.named(err)
	}
	var bare []ssh.PublicKey
	for _, keys := range seen {
		out.Shown = append(out.Shown, shown(keys))
		bare = append(bare, bareKeys(keys.seen)...)
	}
	if len(out.Pins) == 0 && !loose {
		out.Absent = describeLines(absent(lines, bare))
	}
	vouch(out.Shown)
	plain := slices.ContainsFunc(lines, func(l knownLine) bool { return l.mark == markNone })
	out.Standing = overall(out.Shown, len(out.Pins) > 0 || plain && !loose)
	return out, nil
}

// vouch: a host with a good certificate needs none of its bare keys to be known.
func vouch(shown []ShownKey) {
	if !slices.ContainsFunc(shown, func(k ShownKey) bool { return isCertificate(k.key) && k.Standing == Trusted }) {
		return
	}
	for i := range shown {
		if shown[i].Standing == Unknown {
			shown[i].Standing = OtherKind
		}
	}
}

func shown(k *keyChecker) ShownKey {
	return ShownKey{HostKey: describe(k.to, k.seen), Standing: k.standing, Where: k.where, Why: k.verdict, key: k.seen}
}

func describeLines(lines []knownLine) []KnownKey {
	var out []KnownKey
	for _, l := range lines {
		out = append(out, KnownKey{l.key.Type(), ssh.FingerprintSHA256(l.key), l.place()})
	}
	return out
}

// all asks for each kind of key in turn. A kind that the server does not have tells which
// ones it has, so that the rest is not asked for in vain.
func (g *glance) all(ctx context.Context, lines []knownLine) ([]*keyChecker, error) {
	var seen []*keyChecker
	var offered []string
	var last error
	for _, algorithms := range g.kinds(lines) {
		if offered != nil && !slices.ContainsFunc(algorithms, func(a string) bool { return slices.Contains(offered, a) }) {
			continue
		}
		keys, err := g.show(ctx, algorithms)
		if none, ok := errors.AsType[*kindError](err); ok {
			offered, last = none.offered, err
			continue
		}
		if err != nil {
			return nil, err
		}
		seen = append(seen, keys)
	}
	if len(seen) == 0 {
		return nil, last
	}
	return seen, nil
}

// kinds are the algorithms of each handshake of a survey: a certificate first where an
// authority is known, then every kind of key.
func (g *glance) kinds(lines []knownLine) [][]string {
	var out [][]string
	if slices.ContainsFunc(lines, func(l knownLine) bool { return l.mark == markAuthority }) {
		out = append(out, kindsOf(true))
	}
	old := g.to.withLegacy(nil, ssh.InsecureAlgorithms().HostKeys)
	for _, kind := range learnedKinds() {
		algorithms := algorithmsOf(kind, false)
		if slices.Contains(old, kind) { // ssh-rsa: the same key, an older signature
			algorithms = append(algorithms, kind)
		}
		out = append(out, algorithms)
	}
	if slices.Contains(old, kindDSA) {
		out = append(out, []string{kindDSA})
	}
	return out
}

// Record appends the keys of a survey that are not known yet to the site's known_hosts,
// under its lock. Nothing is written where the host has a key that differs or is revoked,
// or where another process recorded one meanwhile: that is an error of code HostKeyChanged.
// The keys are those that keep says yes to.
func (f *Fleet) Record(h inventory.Host, s KeySurvey, keep func(ShownKey) bool) ([]KnownKey, error) {
	if s.Standing != Unknown && s.Standing != OtherKind || len(s.Pins) > 0 {
		return nil, nil
	}
	known, err := f.knownHosts(h.ID.Site)
	if err != nil {
		return nil, fault.On(err, h.ID.String(), stepConnect)
	}
	var keys []ssh.PublicKey
	for _, k := range s.Shown {
		if !isCertificate(k.key) && (k.Standing == Unknown || k.Standing == OtherKind) && keep(k) {
			keys = append(keys, k.key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	added, err := known.add(entry{knownName(s.Name), s.hash}, keys, true)
	if err != nil {
		return nil, recordFault(h.ID.String(), known.files[0], err)
	}
	return describeLines(added), nil
}

func recordFault(host, file string, err error) error {
	if errors.Is(err, errDiffers) {
		return &fault.Error{
			Kind: fault.Ask, Code: fault.HostKeyChanged, Host: host, Step: "record", Err: err,
			What: "another process has recorded a different key meanwhile", Hint: "look again: patchring hostkeys check " + host,
		}
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Usage, Host: host, Step: "record", Err: err,
		What: "the host's keys could not be recorded", Hint: "make " + file + " writable",
	}
}

// Reference is a known_hosts file, or the output of ssh-keyscan, that came by another way
// than this network: keys are compared with it instead of being believed.
type Reference struct{ lines []knownLine }

// ParseReference reads such a file; name is for its messages. Lines that can't be used are
// given back as texts.
func ParseReference(name string, text []byte) (Reference, []string, error) {
	lines, skipped, err := parseKnown(name, string(text))
	if err != nil {
		return Reference{}, nil, fault.Usagef("correct or remove the line", "%v", err)
	}
	if len(lines) == 0 {
		return Reference{}, nil, fault.Usagef("name what ssh-keyscan printed, or a known_hosts file: each line is host, key type and key",
			"%s holds no host keys", name)
	}
	return Reference{lines}, skipped, nil
}

// Confirms gives the line that holds the key under one of the host's names: the address,
// or the name in the inventory, with the port where it is not 22. differs is a line that
// holds another key of the same kind.
func (r Reference) Confirms(h inventory.Host, k ShownKey) (where, differs string) {
	port := strconv.Itoa(max(h.Port, 1))
	if h.Port == 0 {
		port = "22"
	}
	names := []string{k.Name, knownName(net.JoinHostPort(h.ID.Name, port))}
	if h.Address != "" {
		names = append(names, knownName(net.JoinHostPort(h.Address, port)))
	}
	for _, l := range r.lines {
		if !slices.ContainsFunc(names, l.matches) || l.mark == markAuthority {
			continue
		}
		switch same := sameKey(l.key, bareKeys(k.key)[0]); {
		case same && l.mark == markRevoked:
			return "", l.place()
		case same && where == "":
			where = l.place()
		case !same && l.mark == markNone && l.key.Type() == k.Type && differs == "":
			differs = l.place()
		}
	}
	return where, differs
}
