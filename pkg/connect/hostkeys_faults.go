package connect

import (
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// What a person is told of a host key that is not trusted, and how the checker notes it.

func (k *keyChecker) revoked(key ssh.PublicKey, l knownLine) error {
	k.standing, k.where = Revoked, l.place()
	what := "this key"
	if !sameKey(l.key, bareKeys(key)[0]) {
		what = "the authority of its certificate"
	}
	return k.changed(k.where+" marks "+what+" as revoked", "the host must get a new key before anyone connects to it")
}

func (k *keyChecker) differs(key ssh.PublicKey, known []knownLine) error {
	k.standing = OtherKind
	first := known[0]
	for _, l := range known {
		if l.key.Type() == bareKeys(key)[0].Type() {
			first, k.standing = l, Changed
			break
		}
	}
	k.where = first.place()
	forget := remote.Quote([]string{"ssh-keygen", "-R", knownName(k.to.name), "-f", first.file})
	return k.changed(fmt.Sprintf("%s holds %s, the host showed %s", k.where, describeKeys([]ssh.PublicKey{first.key}), describeKeys([]ssh.PublicKey{key})),
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
	return &fault.Error{
		Kind: fault.Ask, Code: fault.HostKeyChanged, Step: k.to.step(),
		What: k.to.what("host key changed: " + why), Hint: "not tried again in this run; " + hint,
	}
}

// unknown also covers a certificate that no known authority vouches for.
func (k *keyChecker) unknown(key ssh.PublicKey, why error) error {
	k.standing = Unknown
	what := "host key unknown: " + describeKeys([]ssh.PublicKey{key})
	if why != nil && (isCertificate(key) || k.hasAuthority()) {
		what += " (" + remote.Clean(strings.TrimPrefix(why.Error(), "ssh: "), 200) + ")"
	}
	return &fault.Error{
		Kind: fault.Ask, Code: fault.HostKeyUnknown, Step: k.to.step(), What: k.to.what(what), Hint: k.unknownHint(),
	}
}

// unknownHint: a host is pinned by its name; a bastion has none.
func (k *keyChecker) unknownHint() string {
	file := "known_hosts"
	if len(k.known.files) > 0 {
		file = k.known.files[0]
	}
	host, port, _ := net.SplitHostPort(k.to.address)
	pin := remote.Quote([]string{"patchring", "hostkeys", "pin", k.to.label})
	if k.to.bastion != "" {
		pin = remote.Quote([]string{"ssh-keyscan", "-p", port, host}) + " >> " + remote.Quote([]string{file})
		if k.to.via != "" {
			pin = "(from the bastion before it) " + pin
		}
	}
	return "compare the fingerprint on the host's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: " +
		pin + " — or run once with --accept-new-host-keys"
}
