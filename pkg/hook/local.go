package hook

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/remote"
)

// Local is this machine, the controller, as a host of its own that apply.Perform takes:
// it runs commands as who runs patchring, never as root by sudo. Their environment is
// PATH, HOME, LANG and USER alone: nothing that patchring was given for itself, such as
// the secrets that env: references name. Safe for concurrent use.
type Local struct {
	folder string
	env    []string
}

// Controller gives this machine, with its jobs in folder, an absolute path in the state
// folder. The folder is made when the first job starts.
func Controller(folder string) *Local {
	l := &Local{folder: folder}
	for _, name := range []string{"PATH", "HOME", "LANG", "USER"} {
		if value, set := os.LookupEnv(name); set {
			l.env = append(l.env, name+"="+value)
		}
	}
	return l
}

// Place is where jobs live on this machine.
func (l *Local) Place() job.Place { return job.In(l.folder) }

// Session gives a session that can run commands, and no more. With Drop, which has no
// connection to close, it makes Local what apply.Perform takes.
func (l *Local) Session(context.Context) (remote.Session, func(), error) {
	return remote.Session{Runner: l}, func() {}, nil
}

// Drop does nothing.
func (*Local) Drop() {}

// hangsOn is how long a command that has ended, or was killed, may leave its output open.
const hangsOn = 2 * time.Second

// Run runs one command to its end. When ctx ends first, its process group is killed, and
// the ending is Lost. A job that it started is not in that group, and goes on.
func (l *Local) Run(ctx context.Context, c remote.Command) (remote.Result, error) {
	return l.run(ctx, c, nil)
}

func (l *Local) run(ctx context.Context, c remote.Command, env []string) (remote.Result, error) {
	if err := allowed(c); err != nil {
		return remote.Result{}, err
	}
	limit := c.MaxOut
	if limit <= 0 {
		limit = remote.DefaultMaxOut
	}
	out, errs := &bounded{limit: limit}, &bounded{limit: limit}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env = append(append([]string{}, l.env...), env...)
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(c.Stdin), out, errs
	cmd.WaitDelay = hangsOn
	ownGroup(cmd)
	err := cmd.Run()
	r := remote.Result{Out: out.kept.Bytes(), Err: errs.kept.Bytes(), Truncated: out.dropped || errs.dropped}
	return ending(ctx, cmd, r, err)
}

func allowed(c remote.Command) error {
	switch {
	case c.Become:
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Privilege, What: "nothing becomes root on the controller"}
	case c.Secret.Set():
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: "no command on the controller is given a secret"}
	case len(c.Argv) == 0 || c.Argv[0] == "":
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: "there is no command"}
	}
	return nil
}

// ending tells what became of the command.
func ending(ctx context.Context, cmd *exec.Cmd, r remote.Result, err error) (remote.Result, error) {
	_, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case cmd.ProcessState == nil:
		return remote.Result{}, &fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, What: "the command could not be started", Err: err}
	case ctx.Err() != nil && err != nil:
		return r, &fault.Error{Kind: fault.Unknown, Code: fault.Lost, What: "the command did not end in time, and was killed", Err: ctx.Err()}
	case err == nil, exited, errors.Is(err, exec.ErrWaitDelay):
	default:
		return r, &fault.Error{Kind: fault.Unknown, Code: fault.Lost, What: "the command's output could not be read", Err: err}
	}
	if r.Code = cmd.ProcessState.ExitCode(); r.Code < 0 {
		r.Ending = remote.Signaled
		return r, nil
	}
	r.Ending = remote.Exited
	return r, nil
}

// bounded keeps the first bytes and drops the rest, so that the command can go on.
type bounded struct {
	kept    bytes.Buffer
	limit   int64
	dropped bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - int64(b.kept.Len())
	if int64(len(p)) > room {
		b.dropped = true
		b.kept.Write(p[:room])
		return len(p), nil
	}
	return b.kept.Write(p)
}
