package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/remote"
)

// agentKeys is an SSH agent: asked for its keys and for signatures, never forwarded. Each
// question has a connection of its own, so that giving one up takes nothing from another
// host's login.
type agentKeys struct {
	socket string
	wait   time.Duration

	turn  chan struct{} // holds one token: who has it asks, or reads what was asked
	until time.Time     // for how long keys and err count
	keys  []agentKey
	err   error
}

func newAgentKeys(socket string) *agentKeys {
	return &agentKeys{socket: socket, wait: agentWait, turn: make(chan struct{}, 1)}
}

// agentKey is one key, or certificate, that an agent holds.
type agentKey struct {
	public  ssh.PublicKey
	comment string
}

// agentListed is for how long the list counts: a certificate that was renewed meanwhile
// must be seen by a run that lasts for hours.
const agentListed = 30 * time.Second

// agentWait is how long the agent may take for its list, which needs no person; agentRest,
// how long one that took longer is left alone, so that not each host waits for it.
const (
	agentWait = 10 * time.Second
	agentRest = 10 * time.Minute
)

// errAgentSilent is the cause of a question's context when the agent's time is up.
var errAgentSilent = errors.New("it did not answer in time")

// list gives the agent's keys; none when there is no agent.
func (a *agentKeys) list(ctx context.Context) ([]agentKey, error) {
	if a.socket == "" {
		return nil, nil
	}
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-a.turn }()
	if time.Now().Before(a.until) {
		return a.keys, a.err
	}
	limited, cancel := context.WithTimeoutCause(ctx, a.wait, errAgentSilent)
	defer cancel()
	keys, err := a.ask(limited)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	a.keys, a.err, a.until = keys, err, time.Now().Add(agentListed)
	if errors.Is(err, errAgentSilent) {
		a.until = time.Now().Add(agentRest)
	}
	return keys, err
}

func (a *agentKeys) ask(ctx context.Context) ([]agentKey, error) {
	var keys []agentKey
	err := a.with(ctx, func(c agent.ExtendedAgent) error {
		listed, err := c.List()
		for _, k := range listed {
			// Of a kind that the library doesn't know: it could not be offered anyway.
			if public, err := ssh.ParsePublicKey(k.Blob); err == nil {
				keys = append(keys, agentKey{public, remote.Clean(k.Comment, 60)})
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the SSH agent at %s is left out: %w", remote.Clean(a.socket, 200), err)
	}
	return keys, nil
}

// with speaks to the agent; ctx frees it from one that stays silent.
func (a *agentKeys) with(ctx context.Context, speak func(agent.ExtendedAgent) error) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", a.socket)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = speak(agent.NewClient(conn))
	if !stop() {
		err = context.Cause(ctx)
	}
	_ = conn.Close()
	return err
}

// errRefused: the agent has the key, but does not sign with it.
var errRefused = errors.New("the SSH agent refuses to sign")

// sign has the agent sign. It may have to ask a person first (ssh-add -c, a touch), so only
// ctx bounds it.
func (a *agentKeys) sign(ctx context.Context, key ssh.PublicKey, data []byte, algorithm string) (*ssh.Signature, error) {
	var signature *ssh.Signature
	err := a.with(ctx, func(c agent.ExtendedAgent) error {
		var err error
		signature, err = c.SignWithFlags(key, data, signFlags(algorithm))
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errRefused, err)
	}
	return signature, err
}

// signFlags: an agent signs with SHA-1 where an RSA key's hash is not named.
func signFlags(algorithm string) agent.SignatureFlags {
	switch algorithm {
	case ssh.KeyAlgoRSASHA256:
		return agent.SignatureFlagRsaSha256
	case ssh.KeyAlgoRSASHA512:
		return agent.SignatureFlagRsaSha512
	}
	return 0
}

func (a *agentKeys) candidate(k agentKey) candidate {
	c := candidate{public: k.public, agent: a, held: k.public, from: "the agent's key"}
	if k.comment != "" {
		c.from += " " + k.comment
	}
	c.cert, _ = k.public.(*ssh.Certificate)
	return c
}
