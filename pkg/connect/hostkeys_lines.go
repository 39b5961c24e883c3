package connect

import (
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// maxKnownLine is below the 64 KiB at which the library's scanner gives up on the
// whole file.
const maxKnownLine = 32 << 10

// filterKnown makes the text of a known_hosts file fit for the library, which drops
// a whole file for one bad line: such lines are blanked, so that line numbers stay,
// and named. A bad @revoked or @cert-authority line is an error instead: to skip a
// revocation would trust what is not to be trusted.
func filterKnown(file, text string) (clean string, skipped []string, err error) {
	var out strings.Builder
	number := 0
	for raw := range strings.Lines(text) {
		number++
		line := strings.Trim(raw, " \t\r\n")
		reason := knownLineFault(line)
		switch {
		case reason == "":
			out.WriteString(line)
		case strings.HasPrefix(line, "@"):
			return "", nil, fmt.Errorf("%s:%d: %s", file, number, reason)
		default:
			skipped = append(skipped, fmt.Sprintf("%s:%d: %s; line skipped", file, number, reason))
		}
		out.WriteByte('\n')
	}
	return out.String(), skipped, nil
}

// knownLineFault says what is wrong with one line; "" when it can be used.
func knownLineFault(line string) string {
	if line == "" || line[0] == '#' {
		return ""
	}
	if len(line) > maxKnownLine {
		return "the line is too long"
	}
	if strings.ContainsAny(line, "\x00\r\n\v\f") {
		return "the line holds control characters"
	}
	fields := strings.Fields(line)
	if line[0] == '@' {
		if fields[0] != "@revoked" && fields[0] != "@cert-authority" {
			return "unknown marker"
		}
		fields = fields[1:]
	}
	if len(fields) < 3 {
		return "want host, key type and key"
	}
	if reason := knownNamesFault(fields[0]); reason != "" {
		return reason
	}
	return knownKeyFault(fields[1], fields[2])
}

func knownNamesFault(names string) string {
	if strings.HasPrefix(names, "|") {
		parts := strings.Split(names, "|")
		if len(parts) != 4 || parts[1] != "1" || !isBase64(parts[2]) || !isBase64(parts[3]) {
			return "bad hashed host name"
		}
		return ""
	}
	for name := range strings.SplitSeq(names, ",") {
		bare, negated := strings.CutPrefix(name, "!")
		if (negated && bare == "") || (strings.HasPrefix(bare, "[") && !isHostPort(bare)) {
			return "bad host name"
		}
	}
	return ""
}

// isHostPort tells whether "[host]:port" can be split as the library will.
func isHostPort(name string) bool {
	_, _, err := net.SplitHostPort(name)
	return err == nil
}

func knownKeyFault(kind, encoded string) string {
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "the key is not base64"
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return "the key can't be read"
	}
	if key.Type() != kind {
		return "the key is of another type than the line says"
	}
	if _, isCert := key.(*ssh.Certificate); isCert {
		return "a certificate is no host key"
	}
	return ""
}

func isBase64(text string) bool {
	_, err := base64.StdEncoding.DecodeString(text)
	return err == nil
}
