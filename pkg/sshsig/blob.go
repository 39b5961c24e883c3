package sshsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"
)

const (
	maxArmored   = 64 << 10
	maxNamespace = 128

	magic       = "SSHSIG"
	wireVersion = 1

	begin = "-----BEGIN SSH SIGNATURE-----"
	end   = "-----END SSH SIGNATURE-----"
	width = 70 // as ssh-keygen breaks its lines
)

// wire is the blob after its magic (OpenSSH's PROTOCOL.sshsig, section 2).
type wire struct {
	Version   uint32
	Key       []byte
	Namespace string
	Reserved  string
	Hash      string
	Signature []byte
}

// Parse reads an armoured signature. It verifies nothing but, for a certificate, that its
// authority did sign it.
func Parse(armored []byte) (Signature, error) {
	blob, err := dearmor(armored)
	if err != nil {
		return Signature{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	s, err := parseBlob(blob)
	if err != nil {
		return Signature{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return s, nil
}

// Armored gives the signature as text, byte for byte as ssh-keygen writes it.
func (s Signature) Armored() []byte {
	if s.Key == nil || s.sig == nil {
		return nil
	}
	blob := append([]byte(magic), ssh.Marshal(wire{
		Version: wireVersion, Key: s.Key.Marshal(), Namespace: s.Namespace, Hash: s.Hash, Signature: ssh.Marshal(s.sig),
	})...)
	text := base64.StdEncoding.EncodeToString(blob)
	var out bytes.Buffer
	out.WriteString(begin + "\n")
	for ; len(text) > width; text = text[width:] {
		out.WriteString(text[:width] + "\n")
	}
	out.WriteString(text + "\n" + end + "\n")
	return out.Bytes()
}

func dearmor(armored []byte) ([]byte, error) {
	if len(armored) > maxArmored {
		return nil, fmt.Errorf("longer than %d bytes", maxArmored)
	}
	text, ok := strings.CutPrefix(strings.ReplaceAll(string(armored), "\r\n", "\n"), begin+"\n")
	if !ok || strings.Contains(text, "\r") {
		return nil, errors.New("it does not begin with a line " + begin)
	}
	text, rest, ok := strings.Cut(text, "\n"+end)
	if !ok {
		return nil, errors.New("no line " + end)
	}
	if strings.Trim(rest, "\n") != "" {
		return nil, errors.New("text after its END line")
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("its text is not base64")
	}
	return blob, nil
}

func parseBlob(blob []byte) (Signature, error) {
	body, ok := bytes.CutPrefix(blob, []byte(magic))
	if !ok {
		return Signature{}, errors.New("the magic is missing")
	}
	var w wire
	if err := ssh.Unmarshal(body, &w); err != nil {
		return Signature{}, errors.New("a field is cut short, or something follows the last")
	}
	if w.Version != wireVersion {
		return Signature{}, fmt.Errorf("version %d, not %d", w.Version, wireVersion)
	}
	if w.Reserved != "" {
		return Signature{}, errors.New("the reserved field is not empty")
	}
	if w.Hash != hashSHA256 && w.Hash != hashSHA512 {
		return Signature{}, fmt.Errorf("hash %.32q, neither sha256 nor sha512", w.Hash)
	}
	if err := validNamespace(w.Namespace); err != nil {
		return Signature{}, err
	}
	return fromWire(w)
}

func fromWire(w wire) (Signature, error) {
	key, err := parseKey(w.Key)
	if err != nil {
		return Signature{}, err
	}
	sig := new(ssh.Signature)
	if err := ssh.Unmarshal(w.Signature, sig); err != nil {
		return Signature{}, errors.New("the signature field can't be read")
	}
	if err := validSignature(plain(key), sig); err != nil {
		return Signature{}, err
	}
	return Signature{Namespace: w.Namespace, Hash: w.Hash, Key: key, sig: sig}, nil
}

// validNamespace: ssh-keygen knows no empty one, and nobody needs one that can't be shown.
func validNamespace(name string) error {
	switch {
	case name == "":
		return errors.New("an empty namespace")
	case len(name) > maxNamespace:
		return fmt.Errorf("a namespace of more than %d bytes", maxNamespace)
	case !printable(name):
		return errors.New("a namespace with control characters")
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
