package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// commandTime is how long a password manager may take, unlocking in a window of its own
// included.
const commandTime = 30 * time.Second

// fromCommand runs a password manager's command line, without a shell. What it says
// on stderr is not shown: it could hold anything. It has no terminal: one that would ask
// there fails at once instead of hanging, and is to be unlocked beforehand.
func (v *Vault) fromCommand(ctx context.Context, ref secret.Ref) (secret.Secret, error) {
	argv, err := splitWords(ref.Target())
	if err != nil {
		return secret.Secret{}, fault.Usagef("quote words as in a shell; variables, pipes and ~ are not expanded", "%s: %v", ref, err)
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	out := capped{full: cancel}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = &out
	cmd.Env = v.environment(os.Environ())
	cmd.WaitDelay = time.Second // a child that keeps stdout open is not waited for
	apart(cmd)
	if err := cmd.Run(); err != nil {
		return secret.Secret{}, fault.Usagef("run it by hand: "+ref.Target()+", and unlock it first if it asks for something", "%s: %v", ref, out.why(ctx, err))
	}
	return valueOf(ref, out.kept.Bytes())
}

// environment is what a command gets: what we have, but for variables that hold secrets.
func (v *Vault) environment(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		return slices.Contains(v.o.Withhold, name) || v.o.Filter.Holds(value)
	})
}

// capped stops a command that prints too much. The buffer is not embedded: its ReadFrom
// would be used instead of Write, and take all that comes.
type capped struct {
	kept bytes.Buffer
	full func()
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	if c.kept.Len()+len(p) > maxSecret {
		c.over = true
		c.full()
		return 0, errTooLong
	}
	return c.kept.Write(p)
}

// why tells in plain words how a command failed.
func (c *capped) why(ctx context.Context, err error) error {
	switch {
	case c.over:
		return errTooLong
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", commandTime)
	case errors.Is(err, exec.ErrWaitDelay):
		return errors.New("it has ended, but something that it started holds its output open")
	}
	return err
}
