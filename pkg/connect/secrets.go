package connect

import (
	"context"
	"errors"

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
