package connect

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// proposals are the algorithms that a server is offered: the safe ones, and behind them the
// old ones that the inventory allows for this host. The server's choice follows our order,
// so that an old one is used only where nothing better is in common.
func (e endpoint) proposals() ssh.Config {
	safe, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	return ssh.Config{
		KeyExchanges: e.withLegacy(safe.KeyExchanges, old.KeyExchanges),
		Ciphers:      e.withLegacy(safe.Ciphers, old.Ciphers),
		MACs:         e.withLegacy(safe.MACs, old.MACs),
	}
}

func (e endpoint) withLegacy(safe, old []string) []string {
	for _, name := range e.legacy {
		if slices.Contains(old, name) && !slices.Contains(safe, name) {
			safe = append(safe, name)
		}
	}
	return safe
}

// legacyKinds are the old kinds of host key that this host may show.
func (k *keyChecker) legacyKinds() []string {
	return slices.DeleteFunc(k.to.withLegacy(nil, ssh.InsecureAlgorithms().HostKeys), func(kind string) bool {
		return slices.ContainsFunc(k.refused, func(key ssh.PublicKey) bool { return key.Type() == kind })
	})
}

// Legacy names the old algorithms that the live connection really uses, sorted; nil where
// there are none, or no connection.
func (l *Lease) Legacy() []string {
	l.node.mu.Lock()
	c := l.node.live
	l.node.mu.Unlock()
	if c == nil {
		return nil
	}
	used, ok := c.Conn.(ssh.AlgorithmsConnMetadata)
	if !ok {
		return nil
	}
	return legacyOf(used.Algorithms())
}

// legacyOf leaves out hmac-sha1, which is only old, not broken.
func legacyOf(used ssh.NegotiatedAlgorithms) []string {
	old := ssh.InsecureAlgorithms()
	weak := slices.Concat(old.KeyExchanges, old.Ciphers, old.MACs, old.HostKeys)
	var out []string
	for _, name := range []string{used.KeyExchange, used.HostKey, used.Read.Cipher, used.Read.MAC, used.Write.Cipher, used.Write.MAC} {
		if slices.Contains(weak, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// noAlgorithm explains a handshake without a common algorithm. The library tells of the
// first kind only that has none; the next try may tell of another.
func noAlgorithm(to endpoint, err *ssh.AlgorithmNegotiationError) error {
	var known []string
	for _, name := range inventory.LegacyAlgorithms() {
		if slices.Contains(err.RequestedAlgorithms, name) {
			known = append(known, name)
		}
	}
	hint := "this build's SSH library has none of these; update the device, or reach it through a bastion that is nearer to its age"
	switch {
	case len(known) > 0 && to.bastion != "":
		hint = "it offers only what is no longer safe, which patchring does not use for a bastion; update its sshd"
	case len(known) > 0:
		hint = "it offers only what is no longer safe; update it. Where you accept that for this host, write in the inventory: ssh_legacy: [" +
			strings.Join(slices.Concat(to.legacy, known), ", ") + "]"
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Unreachable, Step: to.step(), Hint: hint,
		What: to.what(to.address + ": no algorithm in common for " + err.What + "; the server offers " +
			remote.Clean(strings.Join(err.RequestedAlgorithms, ", "), peerText)),
	}
}
