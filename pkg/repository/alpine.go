package repository

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"strings"
)

const (
	maxAPKIndex  = 128 << 20
	maxAPKStanza = 1 << 20
)

// Alpine verifies an APKINDEX.tar.gz by RSA keys in PEM form, by their file names
// (/etc/apk/keys). Its entries have no Digest: apk records SHA-1 of a part of the
// package. Nearly all repositories still sign with SHA-1 as well, which counts as
// ErrWeak here, so that the index is the host's word.
func Alpine(keys map[string][]byte, index []byte, opt Options) (*Index, error) {
	head, rest, err := alpineSplit(index)
	if err != nil {
		return nil, err
	}
	x := &Index{}
	x.settle(alpineVerify(keys, head, rest))
	body := rest
	if head == nil {
		body = index
	}
	return x, eachFile(open(body, maxInflated), maxAPKIndex, func(name string, content []byte) error {
		if name != "APKINDEX" {
			return nil
		}
		return readAPKIndex(content, opt.wanted(), x.add)
	})
}

// alpineSignature is the first entry of the first gzip member.
type alpineSignature struct {
	name  string // .SIGN.RSA256.the-key.rsa.pub
	bytes []byte
}

// alpineSplit cuts an index where its signature ends. An index without one has no head.
func alpineSplit(index []byte) (head *alpineSignature, rest []byte, err error) {
	r := bytes.NewReader(index)
	member, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, fmt.Errorf("APKINDEX.tar.gz: %w", ErrFormat)
	}
	member.Multistream(false) // so that r stands right behind the member
	limited := io.LimitReader(member, 1<<20)
	archive := tar.NewReader(limited)
	first, err := archive.Next()
	if err != nil {
		return nil, nil, fmt.Errorf("APKINDEX.tar.gz: %w", ErrFormat)
	}
	if !strings.HasPrefix(first.Name, ".SIGN.") {
		return nil, nil, nil
	}
	signature, err := io.ReadAll(io.LimitReader(archive, 4096))
	if err == nil {
		_, err = io.Copy(io.Discard, limited)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("APKINDEX.tar.gz: %w", ErrFormat)
	}
	return &alpineSignature{first.Name, signature}, index[len(index)-r.Len():], nil
}

// alpineVerify holds the signature against the one key that it names.
func alpineVerify(keys map[string][]byte, head *alpineSignature, signed []byte) (Signer, error) {
	if head == nil {
		return Signer{}, ErrNoSignature
	}
	name, strong := strings.CutPrefix(head.name, ".SIGN.RSA256.")
	if !strong {
		return Signer{}, fmt.Errorf("%w: %s", ErrWeak, clean(head.name))
	}
	file, known := keys[name]
	if !known {
		return Signer{}, fmt.Errorf("%w: %s", ErrUnknownKey, clean(name))
	}
	key, err := parseRSAKey(file)
	if err != nil {
		return Signer{}, fmt.Errorf("key %s: %w", clean(name), err)
	}
	digest := sha256.Sum256(signed)
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], head.bytes) != nil {
		return Signer{}, fmt.Errorf("%w: %s", ErrBadSignature, clean(name))
	}
	return Signer{Fingerprint: clean(name)}, nil
}

func parseRSAKey(file []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, ErrFormat
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, ErrFormat
	}
	if key.N.BitLen() < 2047 {
		return nil, ErrWeak
	}
	return key, nil
}

// readAPKIndex reads the one-letter fields of an APKINDEX, a paragraph a package.
func readAPKIndex(content []byte, want wanted, add func(Entry) error) error {
	for block := range bytes.SplitSeq(content, []byte("\n\n")) {
		if len(block) > maxAPKStanza {
			return fmt.Errorf("APKINDEX: %w", ErrTooBig)
		}
		e, found, err := parseAPK(string(block))
		if err == nil && found && want.has([]byte(e.Name)) {
			err = add(e)
		}
		if err != nil {
			return fmt.Errorf("APKINDEX: %w", err)
		}
	}
	return nil
}

func parseAPK(block string) (e Entry, found bool, err error) {
	fields := map[byte]string{}
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != ':' || fields[line[0]] != "" {
			return e, false, fmt.Errorf("line %s: %w", quote(line), ErrFormat)
		}
		fields[line[0]] = line[2:]
	}
	if len(fields) == 0 {
		return e, false, nil
	}
	e = Entry{Name: fields['P'], Version: fields['V'], Arch: fields['A']}
	e.File = e.Name + "-" + e.Version + ".apk"
	e.Size, err = number(fields['S'])
	return e, true, err
}
