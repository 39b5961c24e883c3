package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// commandTime is how long a password manager may take, unlocking by hand included.
const commandTime = 30 * time.Second

// fromCommand runs a password manager's command line, without a shell. What it says
// on stderr is not shown: it could hold anything.
func fromCommand(ctx context.Context, ref secret.Ref) (secret.Secret, error) {
	argv, err := splitWords(ref.Target())
	if err != nil {
		return secret.Secret{}, fault.Usagef("quote words as in a shell; variables, pipes and ~ are not expanded", "%s: %v", ref, err)
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	var out capped
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = &out
	cmd.WaitDelay = time.Second // a child that keeps stdout open is not waited for
	if err := cmd.Run(); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", commandTime)
		}
		return secret.Secret{}, fault.Usagef("run it by hand: "+ref.Target(), "%s: %v", ref, err)
	}
	return readSecret(ref, &out.Buffer)
}

// capped stops a command that prints too much.
type capped struct{ bytes.Buffer }

var errTooLong = fmt.Errorf("more than %d KiB", maxSecret>>10)

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > maxSecret {
		return 0, errTooLong
	}
	return c.Buffer.Write(p)
}

// readSecret takes all of r but one trailing newline.
func readSecret(ref secret.Ref, r io.Reader) (secret.Secret, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err == nil && len(raw) > maxSecret {
		err = errTooLong
	}
	if err != nil {
		return secret.Secret{}, fault.Usagef("a password is one short line", "%s: %v", ref, err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if value == "" {
		return secret.Secret{}, fault.Usagef("it must hold the secret, and nothing else", "%s: it is empty", ref)
	}
	return secret.New(value), nil
}
