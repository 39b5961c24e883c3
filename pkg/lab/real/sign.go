//go:build linux

package real

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// keyHome is where the signing key lies: in memory, inside the lab. The path is
// short because the agent's sockets lie there too, and a socket's path is bounded.
const keyHome = "/run/gnupg"

// keyName is whose key it claims to be.
const keyName = "Patchring lab <lab@example.org>"

// signer has the key that signs this lab's repository, and nothing else ever.
type signer struct {
	bundle      *bundle
	fingerprint string
	public      []byte // binary
	armored     []byte
}

// newSigner makes the key, inside the lab, so that the agent that gpg leaves behind
// ends with it.
func newSigner(ctx context.Context, b *bundle) (*signer, error) {
	s := &signer{bundle: b}
	if err := b.sh(ctx, `mkdir -m 700 "$1"`, keyHome); err != nil {
		return nil, err
	}
	if err := quiet(s.gpg(ctx, "--quiet", "--passphrase=", "--quick-generate-key", keyName, "ed25519", "sign", "never")); err != nil {
		return nil, err
	}
	var err error
	if s.public, err = s.gpg(ctx, "--export").Output(); err != nil {
		return nil, err
	}
	if s.armored, err = s.gpg(ctx, "--armor", "--export").Output(); err != nil {
		return nil, err
	}
	list, err := s.gpg(ctx, "--with-colons", "--list-keys").Output()
	if err != nil {
		return nil, err
	}
	s.fingerprint = fingerprint(string(list))
	return s, nil
}

// fingerprint finds the first one in gpg's list of keys.
func fingerprint(list string) string {
	for line := range strings.Lines(list) {
		if f := strings.Split(line, ":"); f[0] == "fpr" && len(f) > 9 {
			return f[9]
		}
	}
	return ""
}

func (s *signer) gpg(ctx context.Context, args ...string) *exec.Cmd {
	return s.bundle.inside(ctx, append([]string{"gpg", "--homedir=" + keyHome, "--batch"}, args...)...)
}

// clear signs a text so that it stays readable.
func (s *signer) clear(ctx context.Context, text []byte) ([]byte, error) {
	return s.sign(ctx, text, "--clearsign")
}

// detached is a signature beside what it signs; armored or binary.
func (s *signer) detached(ctx context.Context, content []byte, armored bool) ([]byte, error) {
	if armored {
		return s.sign(ctx, content, "--armor", "--detach-sign")
	}
	return s.sign(ctx, content, "--detach-sign")
}

func (s *signer) sign(ctx context.Context, content []byte, how ...string) ([]byte, error) {
	cmd := s.gpg(ctx, append([]string{"--quiet"}, how...)...)
	cmd.Stdin = bytes.NewReader(content)
	signed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return signed, nil
}
