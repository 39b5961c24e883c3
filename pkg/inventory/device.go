package inventory

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// LegacyAlgorithms are the names that ssh_legacy may hold: old key exchanges, ciphers, MACs
// and kinds of host key that the SSH library still has.
func LegacyAlgorithms() []string {
	return []string{
		"diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1",
		"aes128-cbc", "3des-cbc", "hmac-sha1", "hmac-sha1-96", "ssh-rsa", "ssh-dss",
	}
}

// legacy is one of them.
type legacy string

func (l *legacy) UnmarshalText(b []byte) error {
	text := string(b)
	*l = legacy(text)
	if slices.Contains(LegacyAlgorithms(), text) {
		return nil
	}
	hint := "known are " + strings.Join(LegacyAlgorithms(), ", ")
	switch {
	case strings.HasPrefix(text, "arcfour"):
		return fault.Usagef(hint, "patchring does not use RC4: it protects nothing")
	case strings.HasPrefix(text, "rsa-"):
		return fault.Usagef("keys of 1024 bits and more are taken without being named; for shorter ones, make a new key on the device", "the length of a key is no algorithm")
	}
	return fault.Usagef(hint, "this build's SSH library has no such algorithm")
}

func (legacy) Schema() map[string]any {
	return map[string]any{"type": "string", "enum": LegacyAlgorithms()}
}

// serving is an address of this controller, with a port or without.
type serving struct{ netip.AddrPort }

func (s *serving) UnmarshalText(b []byte) error {
	text := string(b)
	addr, err := netip.ParseAddr(text)
	s.AddrPort = netip.AddrPortFrom(addr.Unmap(), 0)
	if err != nil {
		s.AddrPort, err = netip.ParseAddrPort(text)
	}
	hint := "write one of this machine's own IP addresses, with a port or without: 10.0.0.5:8080, [2001:db8::5]:8080"
	switch {
	case err != nil:
		return fault.Usagef(hint, "not an address to serve at")
	case s.Addr().IsUnspecified(), s.Addr().IsMulticast(), s.Addr().Zone() != "":
		return fault.Usagef(hint, "a device can't fetch anything from %s", s.Addr().String())
	}
	return nil
}

// String is the address as it may be written; empty where there is none.
func (s serving) String() string {
	switch {
	case !s.IsValid():
		return ""
	case s.Port() == 0:
		return s.Addr().String()
	}
	return s.AddrPort.String()
}

// Schema lets more through; UnmarshalText is stricter.
func (serving) Schema() map[string]any { return pattern(`^[0-9A-Fa-f.:\[\]]+$`) }
