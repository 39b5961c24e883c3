package connect

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// maxKnownLine bounds a line: OpenSSH takes longer ones, but no key needs them.
const maxKnownLine = 32 << 10

// marker is what a line of known_hosts does with its key.
type marker uint8

const (
	markNone marker = iota
	markAuthority
	markRevoked
)

// knownLine is one usable line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
type knownLine struct {
	file  string
	line  int
	mark  marker
	names string // patterns with commas, or one hashed name
	key   ssh.PublicKey
}

// parseKnown reads a known_hosts file line by line. A line that can't be used is skipped
// and named. A bad @revoked or @cert-authority line is an error instead: to skip a
// revocation would trust what is not to be trusted.
func parseKnown(file, text string) (lines []knownLine, skipped []string, err error) {
	number := 0
	for raw := range strings.Lines(text) {
		number++
		line := strings.Trim(raw, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		one, reason := parseKnownLine(line)
		switch {
		case reason == "":
			one.file, one.line = file, number
			lines = append(lines, one)
		case line[0] == '@':
			return nil, nil, fmt.Errorf("%s:%d: %s", file, number, reason)
		default:
			skipped = append(skipped, fmt.Sprintf("%s:%d: %s; line skipped", file, number, reason))
		}
	}
	return lines, skipped, nil
}

// parseKnownLine gives one line, or what is wrong with it.
func parseKnownLine(line string) (knownLine, string) {
	if len(line) > maxKnownLine {
		return knownLine{}, "the line is too long"
	}
	if strings.ContainsAny(line, "\x00\r\n\v\f") {
		return knownLine{}, "the line holds control characters"
	}
	var out knownLine
	fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if line[0] == '@' {
		marks := map[string]marker{"@revoked": markRevoked, "@cert-authority": markAuthority}
		if out.mark = marks[fields[0]]; out.mark == markNone {
			return knownLine{}, "unknown marker"
		}
		if strings.HasPrefix(line, fields[0]+"\t") && strings.Contains(line, " ") {
			return knownLine{}, "OpenSSH overlooks a marker that a tab ends: write a blank" // check_markers in hostfile.c
		}
		fields = fields[1:]
	}
	if len(fields) < 3 {
		return knownLine{}, "want host, key type and key"
	}
	out.names = fields[0]
	if reason := knownNamesFault(out.names); reason != "" {
		return knownLine{}, reason
	}
	var reason string
	out.key, reason = knownKey(fields[1], fields[2])
	return out, reason
}

func knownNamesFault(names string) string {
	switch names[0] {
	case '@':
		return "a second marker"
	case '|':
		if _, _, ok := splitHash(names); !ok {
			return "bad hashed host name"
		}
		return ""
	}
	for name := range strings.SplitSeq(names, ",") {
		if len(name) > maxPattern {
			return "a host name is too long"
		}
		bare := strings.TrimPrefix(name, "!")
		if bare == "" && name != "" || strings.HasPrefix(bare, "[") && !strings.Contains(bare, "]") {
			return "bad host name"
		}
	}
	return ""
}

// knownKey reads a key, or says what is wrong with it.
func knownKey(kind, encoded string) (ssh.PublicKey, string) {
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, "the key is not base64"
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil, "the key can't be read"
	}
	if key.Type() != kind {
		return nil, "the key is of another type than the line says"
	}
	if isCertificate(key) {
		return nil, "a certificate is no host key"
	}
	return key, ""
}
