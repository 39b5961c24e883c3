package sign

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/sshsig"
)

// agentSealer signs through the agent, over a connection of its own each time: hours lie
// between two checkpoints.
type agentSealer struct {
	socket string
	held   ssh.PublicKey // what the agent holds
	cert   *ssh.Certificate
}

func (a agentSealer) touch() bool { return isSecurityKey(a.held) }

func (a agentSealer) seal(ctx context.Context, namespace string, message []byte) (armored []byte, err error) {
	err = withAgent(ctx, a.socket, func(signers []ssh.Signer) error {
		signer := pick(signers, a.held)
		if signer == nil {
			return errNotHeld
		}
		if signer, err = certified(signer, a.cert); err != nil {
			return err
		}
		armored, err = sshsig.Seal(rand.Reader, refusing{signer}, namespace, message)
		return err
	})
	return armored, err
}

// refusing gives an agent's "no" its meaning: the protocol has one answer for all reasons.
type refusing struct{ ssh.Signer }

func (r refusing) SignWithAlgorithm(random io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	able, ok := r.Signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errRefused
	}
	sig, err := able.SignWithAlgorithm(random, data, algorithm)
	return sig, refused(err)
}

func (r refusing) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	sig, err := r.Signer.Sign(random, data)
	return sig, refused(err)
}

func refused(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%s)", errRefused, remote.Clean(err.Error(), 200))
}

// withAgent runs fn with the agent's keys. When ctx ends, the connection is closed under it:
// an agent that stays silent holds nobody up.
func withAgent(ctx context.Context, socket string, fn func([]ssh.Signer) error) error {
	if socket == "" {
		return errNoAgent
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("SSH agent: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // it is given up; only its end matters
	defer stop()
	signers, err := agent.NewClient(conn).Signers()
	if err == nil {
		err = fn(signers)
	} else {
		err = fmt.Errorf("SSH agent: %s", remote.Clean(err.Error(), 200))
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// inAgent tells whether the agent holds the key.
func inAgent(ctx context.Context, socket string, public ssh.PublicKey) error {
	limited, cancel := context.WithTimeoutCause(ctx, agentWait, errTooLong)
	defer cancel()
	return withAgent(limited, socket, func(signers []ssh.Signer) error {
		if pick(signers, public) == nil {
			return errNotHeld
		}
		return nil
	})
}

func pick(signers []ssh.Signer, public ssh.PublicKey) ssh.Signer {
	for _, s := range signers {
		if bytes.Equal(s.PublicKey().Marshal(), public.Marshal()) {
			return s
		}
	}
	return nil
}

func isSecurityKey(public ssh.PublicKey) bool {
	switch public.Type() {
	case ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.CertAlgoSKED25519v01, ssh.CertAlgoSKECDSA256v01:
		return true
	}
	return false
}
