// Package vault resolves secret references: env:NAME, file:PATH, exec:COMMAND and
// prompt. Each is resolved once, however many hosts need it. No value ever stands in
// an error.
package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// maxSecret bounds what a file or command may give.
const maxSecret = 64 << 10

// Ask asks a person; label says for what. It must not echo.
type Ask func(ctx context.Context, label string) (secret.Secret, error)

// Vault resolves references; make one with New.
type Vault struct {
	ask Ask

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

// New makes a Vault. A nil ask makes every prompt an error: automation can't be asked.
func New(ask Ask) *Vault {
	return &Vault{ask: ask, known: map[string]*entry{}, voice: make(chan struct{}, 1)}
}

// Resolve gives the value of ref. The first caller resolves it, the others wait; a
// failure is kept as well, so that a person is not asked five hundred times. What a
// person types is kept by label, since two labels are two secrets.
func (v *Vault) Resolve(ctx context.Context, ref secret.Ref, label string) (secret.Secret, error) {
	key := ref.String()
	if ref.Scheme() == "prompt" {
		key += " " + label
	}
	for {
		e, mine := v.claim(key)
		if mine {
			return v.settle(ctx, key, e, ref, label)
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

func (v *Vault) settle(ctx context.Context, key string, e *entry, ref secret.Ref, label string) (secret.Secret, error) {
	e.value, e.err = v.resolve(ctx, ref, label)
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
		return fromFile(ref)
	case "exec":
		return fromCommand(ctx, ref)
	case "prompt":
		return v.fromPerson(ctx, label)
	}
	return secret.Secret{}, fault.Usagef("write env:NAME, file:PATH, exec:COMMAND or prompt", "no secret reference for the %s", label)
}

func fromEnv(ref secret.Ref) (secret.Secret, error) {
	value, ok := os.LookupEnv(ref.Target())
	if !ok || value == "" {
		return secret.Secret{}, fault.Usagef("export "+ref.Target()+" in the shell or the CI job that runs patchring",
			"%s: the variable is not set, or empty", ref)
	}
	return secret.New(value), nil
}

// fromFile refuses what others can read, as ssh does with keys.
func fromFile(ref secret.Ref) (secret.Secret, error) {
	path, err := inHome(ref.Target())
	if err != nil {
		return secret.Secret{}, err
	}
	f, err := os.Open(path) //nolint:gosec // the user names their own file
	if err != nil {
		return secret.Secret{}, fault.Usagef("create it with mode 600, or correct the reference", "%s: %v", ref, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat() // of the open file: it can't be swapped any more
	if err != nil {
		return secret.Secret{}, fault.Usagef("check the path", "%s: %v", ref, err)
	}
	if !info.Mode().IsRegular() {
		return secret.Secret{}, fault.Usagef("name a plain file; for a command write exec:", "%s: not a plain file", ref)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return secret.Secret{}, fault.Usagef("chmod 600 "+path, "%s: others can read it (mode %03o)", ref, info.Mode().Perm())
	}
	return readSecret(ref, f)
}

func inHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.Usagef("write the whole path", "file:%s: %v", path, err)
	}
	return filepath.Join(home, rest), nil
}

// fromPerson asks one question at a time.
func (v *Vault) fromPerson(ctx context.Context, label string) (secret.Secret, error) {
	if v.ask == nil {
		return secret.Secret{}, fault.Usagef("write env:, file: or exec: instead of prompt, or run it at a terminal",
			"%s: there is nobody to ask", label)
	}
	select {
	case v.voice <- struct{}{}:
	case <-ctx.Done():
		return secret.Secret{}, context.Cause(ctx)
	}
	defer func() { <-v.voice }()
	value, err := v.ask(ctx, label)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("%s: %w", label, err)
	}
	return value, nil
}
