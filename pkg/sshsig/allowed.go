package sshsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

const maxAllowed = 1 << 20

// Allowed is an allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS). The zero value
// allows nobody.
type Allowed struct{ lines []*line }

// line is one entry: these people, with this key, for these purposes, at these times.
type line struct {
	at         string // "file:line"
	principals patterns
	key        ssh.PublicKey
	authority  bool
	namespaces patterns // nil: any
	after      time.Time
	before     time.Time
}

// ParseAllowed reads an allowed_signers file; name is what errors call it. The first bad
// line is an error that names it.
func ParseAllowed(name string, src []byte) (*Allowed, error) {
	if len(src) > maxAllowed {
		return nil, fault.Usagef("is that the right file?", "%s: longer than %d bytes", name, maxAllowed)
	}
	out := new(Allowed)
	number := 0
	for raw := range bytes.SplitSeq(src, []byte("\n")) {
		number++
		text := strings.Trim(string(raw), " \t\r")
		if text == "" || text[0] == '#' {
			continue
		}
		entry, err := parseLine(text)
		if err != nil {
			return nil, badLine(name, number, err)
		}
		entry.at = fmt.Sprintf("%s:%d", name, number)
		out.lines = append(out.lines, entry)
	}
	return out, nil
}

// mistake is what is wrong with a line, and what to write instead.
type mistake struct{ what, hint string }

func (m *mistake) Error() string { return m.what }

const hintLine = `a line is: jane@hq.example namespaces="patchring-approval" ssh-ed25519 AAAA… (see man ssh-keygen, ALLOWED SIGNERS)`

func badLine(name string, number int, err error) error {
	hint := hintLine
	if m := (*mistake)(nil); errors.As(err, &m) && m.hint != "" {
		hint = m.hint
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Usage, What: fmt.Sprintf("%s:%d", name, number), Hint: hint,
		Err: fmt.Errorf("%w; nothing of the file is used while a line of it can't be", err),
	}
}

func parseLine(text string) (*line, error) {
	if !printable(strings.ReplaceAll(text, "\t", " ")) {
		return nil, errors.New("a character that can't be shown")
	}
	names, rest, err := cutPrincipals(text)
	if err != nil {
		return nil, err
	}
	l := new(line)
	if l.principals, err = parsePatterns(names); err != nil {
		return nil, fmt.Errorf("principals: %w", err)
	}
	if word, _ := cutWord(rest); word != "" && !isKeyType(word) {
		if rest, err = l.parseOptions(rest); err != nil {
			return nil, err
		}
	}
	if l.key, err = parseKeyText(rest); err != nil {
		return nil, err
	}
	return l, nil
}

// cutPrincipals takes the first word, or what stands in double quotes. Quotes within a
// word are refused: OpenSSH drops them.
func cutPrincipals(text string) (names, rest string, err error) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		names, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return "", "", errors.New("the quote before the principals is never closed")
		}
		if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
			return "", "", errors.New("text right after the closing quote of the principals")
		}
		return names, strings.TrimLeft(rest, " \t"), nil
	}
	names, rest = cutWord(text)
	if strings.Contains(names, `"`) {
		return "", "", errors.New("a quote within the principals")
	}
	return names, rest, nil
}

func cutWord(text string) (word, rest string) {
	i := strings.IndexAny(text, " \t")
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimLeft(text[i:], " \t")
}

// isKeyType knows also the types that are refused, so that the refusal can name them.
func isKeyType(word string) bool {
	return slices.Contains([]string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, "ssh-dss",
	}, word) || strings.Contains(word, "-cert-v01@")
}

func parseKeyText(text string) (ssh.PublicKey, error) {
	kind, rest := cutWord(text)
	word, _ := cutWord(rest) // what follows is a comment
	if kind == "" || word == "" {
		return nil, errors.New("the key is missing")
	}
	if strings.Contains(kind, "-cert-v01@") {
		return nil, &mistake{
			"a certificate instead of a key",
			`write the authority's key, with the option cert-authority, or the person's own key`,
		}
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(word)
	if err != nil {
		return nil, errors.New("the key is not base64")
	}
	key, err := parseKey(blob)
	if err != nil {
		return nil, fmt.Errorf("the key: %w", err)
	}
	if key.Type() != kind {
		return nil, fmt.Errorf("the key is of type %s, but the line says %s", key.Type(), kind)
	}
	return key, nil
}
