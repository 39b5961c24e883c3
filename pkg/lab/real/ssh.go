//go:build linux

package real

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// hostKey and clientKey are ed25519 keys in the forms that OpenSSH reads.
type (
	hostKey   struct{ pem, line string }
	clientKey = hostKey
)

func newHostKey() (hostKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return hostKey{}, err
	}
	block, err := ssh.MarshalPrivateKey(crypto.PrivateKey(private), "patchring lab")
	if err != nil {
		return hostKey{}, err
	}
	shown, err := ssh.NewPublicKey(public)
	if err != nil {
		return hostKey{}, err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown)))
	return hostKey{pem: string(pem.EncodeToMemory(block)), line: line}, nil
}

func newClientKey() (*clientKey, error) {
	key, err := newHostKey()
	return &key, err
}

// SSH is what an SSH client needs to log in to the hosts of a lab.
type SSH struct {
	Key        string // path of the private key of User
	KnownHosts string // path of a known_hosts file with every host made so far
}

// WriteSSH writes the client's key and a known_hosts file into dir.
func (l *Lab) WriteSSH(dir string) SSH {
	l.t.Helper()
	s := SSH{Key: filepath.Join(dir, "id_ed25519"), KnownHosts: filepath.Join(dir, "known_hosts")}
	var known strings.Builder
	for _, h := range l.hosts {
		fmt.Fprintf(&known, "%s %s\n", h.Address, h.key.line)
	}
	for path, text := range map[string]string{s.Key: l.key.pem, s.KnownHosts: known.String()} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
	return s
}
