package connect

import (
	"slices"

	"golang.org/x/crypto/ssh"
)

// Standing is what known_hosts and the inventory say of a key that a host showed. The
// zero value is the worst: nobody could tell.
type Standing uint8

const (
	Untold    Standing = iota
	Revoked            // a line takes its trust away
	Changed            // another key of its kind is known
	Unknown            // nothing is known of the host
	OtherKind          // other kinds of key are known, this one is not
	Trusted
)

// String is the word of the documents.
func (s Standing) String() string {
	words := [...]string{"untold", "revoked", "changed", "unknown", "other_kind", "ok"}
	if int(s) < len(words) {
		return words[s]
	}
	return words[Untold]
}

// overall is the standing of a host by all that it showed. One key that is trusted makes
// a connection, but a revoked or changed one beside it is for a person to look at.
func overall(shown []ShownKey, known bool) Standing {
	has := func(s Standing) bool {
		return slices.ContainsFunc(shown, func(k ShownKey) bool { return k.Standing == s })
	}
	switch {
	case len(shown) == 0, has(Untold):
		return Untold
	case has(Revoked):
		return Revoked
	case has(Changed), known && !has(Trusted):
		return Changed
	case !has(Trusted):
		return Unknown
	case slices.ContainsFunc(shown, func(k ShownKey) bool { return isCertificate(k.key) && k.Standing == Trusted }):
		return Trusted
	case has(OtherKind), has(Unknown):
		return OtherKind
	}
	return Trusted
}

// absent are the keys that lines hold and the host no longer shows: kinds are left out of
// which it showed another one, which is told as changed.
func absent(lines []knownLine, shown []ssh.PublicKey) []knownLine {
	var out []knownLine
	for _, l := range lines {
		if l.mark != markNone {
			continue
		}
		if !slices.ContainsFunc(shown, func(key ssh.PublicKey) bool { return key.Type() == l.key.Type() }) {
			out = append(out, l)
		}
	}
	return out
}
