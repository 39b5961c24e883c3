package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/remote"
)

const (
	maxOutput = 64 << 10
	hangsOn   = 2 * time.Second // how long a program that ended may leave its output open
)

// programSealer has ssh-keygen talk to the security key: it knows how, and asks for the PIN
// on the terminal itself.
type programSealer struct{ program, path string }

func (programSealer) touch() bool { return true }

// program finds ssh-keygen.
func (o Options) program(path string, held ssh.PublicKey, cert *ssh.Certificate) (sealer, ssh.PublicKey, error) {
	name := o.Program
	if name == "" {
		name = "ssh-keygen"
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return nil, nil, unusable(path, errors.New("a security key needs ssh-keygen, which is not there"), "install OpenSSH's client, or add the key to the SSH agent: ssh-add "+path)
	}
	if cert != nil {
		path += "-cert.pub"
	}
	return programSealer{found, path}, held, nil
}

func (p programSealer) seal(ctx context.Context, namespace string, message []byte) ([]byte, error) {
	out, err := run(ctx, message, keygenVariables(), p.program, "-q", "-Y", "sign", "-f", p.path, "-n", namespace)
	if err != nil {
		return nil, fmt.Errorf("ssh-keygen: %w", err)
	}
	return out, nil
}

// keygenVariables are all that ssh-keygen is given of the environment: what it needs to
// find the agent, the security key and a person, and no secret that env: references name.
func keygenVariables() []string {
	return append(commonVariables(), "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER", "SSH_SK_HELPER",
		"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "TERM", "GPG_TTY")
}

func commonVariables() []string { return []string{"PATH", "HOME", "USER", "LANG", "TMPDIR"} }

// run runs a program with a bounded output and with these variables of our environment.
func run(ctx context.Context, stdin []byte, variables []string, argv ...string) ([]byte, error) {
	var out, said bounded
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &said
	cmd.Env = []string{"LC_ALL=C"}
	for _, name := range variables {
		if value, set := os.LookupEnv(name); set {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.WaitDelay = hangsOn
	err := cmd.Run()
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &runError{err, remote.Clean(said.kept.String(), 400)}
	case out.dropped:
		return nil, fmt.Errorf("more than %d bytes of output", maxOutput)
	}
	return out.kept.Bytes(), nil
}

// runError is a program's failure, and its words.
type runError struct {
	err  error
	said string
}

func (e *runError) Error() string {
	if e.said == "" {
		return e.err.Error()
	}
	return e.said + " (" + e.err.Error() + ")"
}

func (e *runError) Unwrap() error { return e.err }

// bounded keeps the first bytes and drops the rest, so that the program can go on.
type bounded struct {
	kept    bytes.Buffer
	dropped bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxOutput - b.kept.Len(); len(p) > room {
		b.dropped = true
		b.kept.Write(p[:room])
		return len(p), nil
	}
	return b.kept.Write(p)
}
