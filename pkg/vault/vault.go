// Package vault resolves secret references: env:NAME, file:PATH, exec:COMMAND,
// keyring:SERVICE/ACCOUNT, age:PATH, sops:PATH#KEY, ansible-vault:PATH#KEY and prompt.
// Each is resolved once, however many hosts need it. No value ever stands in an error.
//
// Paths count from the working folder, as those of private keys do; ~/ is the home.
// What opens encrypted files (an age or SSH identity, the password of ansible-vault) is
// the operator's own setting: an inventory, which may be another client's, can't name it,
// nor a plugin to run (GO-2024-3344).
package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// maxSecret bounds what a file or command may give.
const maxSecret = 64 << 10

// Ask asks a person; label says for what. It must not echo.
type Ask func(ctx context.Context, label string) (secret.Secret, error)

// Options of a Vault. The zero value resolves what needs no key and no person.
type Options struct {
	Ask  Ask    // nil: every prompt is an error, automation can't be asked
	Home string // for ~/ and the identity's default place; "": there is none
	// Identity is a file with age identities, or an SSH private key, that opens age: and
	// sops: files. "": ~/.config/patchring/age.txt
	Identity string
	// Password of ansible-vault files; the zero Ref: a person is asked.
	Password secret.Ref
	// Filter, where set, is told of every value before it is handed out.
	Filter *secret.Filter
	// Warn, where set, is told of secrets that the filter can't keep out of what hosts print.
	Warn func(text string)
	// Withhold names environment variables that hold secrets: no command gets them. Those
	// that hold a value that Filter knows are withheld in any case.
	Withhold []string
}

// Vault resolves references; make one with New.
type Vault struct {
	o    Options
	ring ring

	mu    sync.Mutex
	known map[string]*entry
	voice chan struct{} // one question at a time
}

// entry is one reference: its value or error, once done is closed.
type entry struct {
	done  chan struct{}
	value secret.Secret
	err   error
}

// New makes a Vault.
func New(o Options) *Vault {
	return &Vault{o: o, ring: system{}, known: map[string]*entry{}, voice: make(chan struct{}, 1)}
}

// Resolve gives the value of ref. The first caller resolves it, the others wait; a
// failure is kept as well, so that a person is not asked five hundred times. What a
// person types is kept by label, since two labels are two secrets.
func (v *Vault) Resolve(ctx context.Context, ref secret.Ref, label string) (secret.Secret, error) {
	key := ref.String()
	if ref.Scheme() == "prompt" {
		key += " " + label
	}
	return v.once(ctx, key, func() (secret.Secret, error) {
		value, err := v.resolve(ctx, ref, label)
		if unfit := v.o.Filter.Add(value); unfit != "" && v.o.Warn != nil {
			v.o.Warn(fmt.Sprintf("the secret of %s %s: should a host print it, patchring can't keep it out of what it shows and writes", key, unfit))
		}
		return value, err
	})
}

// once makes one value a key.
func (v *Vault) once(ctx context.Context, key string, get func() (secret.Secret, error)) (secret.Secret, error) {
	for {
		e, mine := v.claim(key)
		if mine {
			return v.settle(ctx, key, e, get)
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			return secret.Secret{}, context.Cause(ctx)
		}
		if !errors.Is(e.err, errInterrupted) {
			return e.value, e.err
		}
	}
}

// errInterrupted marks a failure that was the caller's own end, so not worth keeping.
var errInterrupted = errors.New("interrupted")

func (v *Vault) claim(key string) (e *entry, mine bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.known[key]; e != nil {
		return e, false
	}
	e = &entry{done: make(chan struct{})}
	v.known[key] = e
	return e, true
}

func (v *Vault) settle(ctx context.Context, key string, e *entry, get func() (secret.Secret, error)) (secret.Secret, error) {
	e.value, e.err = get()
	if e.err != nil && ctx.Err() != nil {
		e.err = fmt.Errorf("%w: %w", errInterrupted, context.Cause(ctx))
		v.mu.Lock()
		delete(v.known, key)
		v.mu.Unlock()
	}
	close(e.done)
	return e.value, e.err
}

func (v *Vault) resolve(ctx context.Context, ref secret.Ref, label string) (secret.Secret, error) {
	switch ref.Scheme() {
	case "env":
		return fromEnv(ref)
	case "file":
		return v.fromFile(ref)
	case "exec":
		return v.fromCommand(ctx, ref)
	case "keyring":
		return v.fromRing(ctx, ref)
	case "age":
		return v.fromAge(ctx, ref)
	case "sops":
		return v.fromSOPS(ctx, ref)
	case "ansible-vault":
		return v.fromAnsible(ctx, ref)
	case "prompt":
		return v.fromPerson(ctx, label)
	}
	return secret.Secret{}, fault.Usagef("write "+secret.Forms(), "no secret reference for the %s", label)
}

func fromEnv(ref secret.Ref) (secret.Secret, error) {
	value, ok := os.LookupEnv(ref.Target())
	if !ok || value == "" {
		return secret.Secret{}, fault.Usagef("export "+ref.Target()+" in the shell or the CI job that runs patchring",
			"%s: the variable is not set, or empty", ref)
	}
	return secret.New(value), nil
}

// fromPerson asks one question at a time.
func (v *Vault) fromPerson(ctx context.Context, label string) (secret.Secret, error) {
	if v.o.Ask == nil {
		return secret.Secret{}, fault.Usagef("write another reference than prompt (env:, file:, exec: …), or run it at a terminal",
			"%s: there is nobody to ask", label)
	}
	select {
	case v.voice <- struct{}{}:
	case <-ctx.Done():
		return secret.Secret{}, context.Cause(ctx)
	}
	defer func() { <-v.voice }()
	value, err := v.o.Ask(ctx, label)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("%s: %w", label, err)
	}
	return value, nil
}
