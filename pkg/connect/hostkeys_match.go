package connect

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what OpenSSH hashes host names with
	"encoding/base64"
	"io"
	"net"
	"strings"

	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// How a line of known_hosts matches a name, as OpenSSH does it (hostfile.c, match.c):
// the name is one string, "host" or "[host]:port", compared without case.

// maxPattern is the longest pattern that OpenSSH matches (match_pattern_list's buffer).
const maxPattern = 1022

// knownName is how known_hosts writes host:port.
func knownName(name string) string { return strings.ToLower(xknownhosts.Normalize(name)) }

// withoutPort is the name that OpenSSH asks for when it knows nothing of a name with
// another port than 22; "" where there is none.
func withoutPort(known string) string {
	if !strings.HasPrefix(known, "[") {
		return ""
	}
	host, _, err := net.SplitHostPort(known)
	if err != nil {
		return ""
	}
	return host
}

// matches tells whether the line is for a name as knownName gives it.
func (l knownLine) matches(known string) bool {
	if strings.HasPrefix(l.names, "|") {
		salt, sum, ok := splitHash(l.names)
		return ok && hmac.Equal(sum, hashName(known, salt))
	}
	matched := false
	for pattern := range strings.SplitSeq(strings.ToLower(l.names), ",") {
		bare, negated := strings.CutPrefix(pattern, "!")
		if !globs(bare, known) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

// only tells whether the line stands for this one name and no other.
func (l knownLine) only(known string) bool {
	return l.matches(known) && (strings.HasPrefix(l.names, "|") || !strings.ContainsAny(l.names, "*?!,"))
}

// globs matches * (any text) and ? (one byte). It remembers the last star alone, so that
// a pattern of many stars costs no more than its length times the text's.
func globs(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// splitHash takes |1|salt|hash apart.
func splitHash(names string) (salt, sum []byte, ok bool) {
	parts := strings.Split(names, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return nil, nil, false
	}
	salt, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	sum, err2 := base64.StdEncoding.Strict().DecodeString(parts[3])
	return salt, sum, err == nil && err2 == nil && len(salt) == sha1.Size && len(sum) == sha1.Size
}

func hashName(known string, salt []byte) []byte {
	mac := hmac.New(sha1.New, salt)
	_, _ = io.WriteString(mac, known) // a hash takes everything
	return mac.Sum(nil)
}

// hashedName is a name as OpenSSH writes it with HashKnownHosts.
func hashedName(known string) string {
	salt := make([]byte, sha1.Size)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	encode := base64.StdEncoding.EncodeToString
	return "|1|" + encode(salt) + "|" + encode(hashName(known, salt))
}
