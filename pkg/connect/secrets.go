package connect

import (
	"context"
	"errors"
	"slices"
	"strings"

	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// resolve gets a secret's value; code says what fails without it. The error never
// holds a value.
func (f *Fleet) resolve(ctx context.Context, ref secret.Ref, label string, code fault.Code) (secret.Secret, error) {
	if f.opts.Secrets == nil {
		return secret.Secret{}, fault.Usagef("remove the reference from the inventory", "nothing to resolve secrets with: %s", ref)
	}
	value, err := f.opts.Secrets.Resolve(ctx, ref, label)
	if err == nil {
		f.resolved.Store(valueKey(ref, label), value)
	}
	if err == nil || errors.As(err, new(*fault.Error)) {
		return value, err
	}
	return value, &fault.Error{Kind: fault.GiveUp, Code: code, What: label + " from " + ref.String(), Err: err}
}

// passwordCredential tells one password from another: by where it is from, and, where
// a person types it, by what they are asked for.
func passwordCredential(kind string, ref secret.Ref, label string) credential {
	c := credential{id: kind + " " + ref.String(), name: "the password from " + ref.String(), strict: true}
	if ref.Scheme() == "prompt" {
		c.id, c.name = kind+" "+label, "the typed "+label
	}
	return c
}

// acceptedNow tells whether the key of name (host:port) was recorded by this very run.
func (k *knownHosts) acceptedNow(name string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	_, ok := k.fresh[xknownhosts.Normalize(name)]
	return ok
}

// strangerFault is why a host gets no password and no code: whoever answered there first
// would have it.
func strangerFault(host string) *fault.Error {
	return &fault.Error{
		Kind: fault.Ask, Code: fault.HostKeyUnknown,
		What: "its key was recorded only now, so it gets no password and no code in this run",
		Hint: "compare its fingerprint with the one on its console (patchring hostkeys check " + strings.TrimSpace(host) + "), then run the same command again",
	}
}

// hide takes the passwords that are known in this run out of a text: a peer may have said
// them back.
func (f *Fleet) hide(text string) string {
	var values []string
	f.resolved.Range(func(_, known any) bool {
		if s, ok := known.(secret.Secret); ok && len(s.Reveal()) >= leastSecret {
			values = append(values, s.Reveal())
		}
		return true
	})
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, value := range values {
		text = strings.ReplaceAll(text, value, mask)
	}
	return text
}
