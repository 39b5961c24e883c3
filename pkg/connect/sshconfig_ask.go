package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// asker runs the user's own ssh to resolve a name. Only files that nobody but the
// user and root can change are given to it, since Match exec runs programs.
type asker struct {
	program string
	config  string
	env     []string
	limit   time.Duration // for one question
	run     func(ctx context.Context, a *asker, argv []string) (out, errs []byte, err error)
	free    chan struct{} // bounds how many run at once
	usual   func(context.Context) ([]string, error)

	mu     sync.Mutex
	broken error // it hung once: nobody waits for it again
}

const (
	// askLimit is generous: canonical names ask DNS, Match exec may ask anything.
	askLimit = 10 * time.Second
	// asksAtOnce is what two cores can use; one question costs some 5 ms.
	asksAtOnce = 4
)

// newAsker finds ssh, or gives nil. Names in the file tell which variables it needs.
func newAsker(config string, statements []statement, me person) *asker {
	program, err := exec.LookPath("ssh")
	if err != nil {
		return nil
	}
	a := &asker{
		program: program, config: config, env: smallEnv(statements, me), limit: askLimit,
		run: runSSH, free: make(chan struct{}, asksAtOnce),
	}
	a.usual = onceGood(func(ctx context.Context) ([]string, error) {
		d, err := a.dump(ctx, []string{"-G", "-T", "-F", "none", "--", "localhost"})
		return d.identities, err
	})
	return a
}

// askable are names that ssh takes for a name: no option, no URL, no user@host.
var askable = regexp.MustCompile(`^[A-Za-z0-9_:.][A-Za-z0-9_:.%-]*$`)

// argv of one question. The inventory's user and port are on it, so that Match user
// and tokens see what ssh would see.
func (a *asker) argv(q query) ([]string, error) {
	if !askable.MatchString(q.name) || (q.address != "" && !askable.MatchString(q.address)) {
		return nil, fmt.Errorf("%q is not a name that can be given to ssh", q.name)
	}
	argv := []string{"-G", "-T", "-F", a.config}
	if q.user != "" {
		argv = append(argv, "-l", q.user)
	}
	if q.port != "" {
		argv = append(argv, "-p", q.port)
	}
	if q.address != "" {
		argv = append(argv, "-o", "HostName="+strings.ReplaceAll(q.address, "%", "%%"))
	}
	return append(argv, "--", q.name), nil
}

// enter waits for a turn.
func (a *asker) enter(ctx context.Context) (leave func(), err error) {
	select {
	case a.free <- struct{}{}:
		return func() { <-a.free }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// ask gives what ssh says of a name; who asks has entered.
func (a *asker) ask(ctx context.Context, q query) (reading, error) {
	argv, err := a.argv(q)
	if err != nil {
		return reading{}, askFault(err.Error(), "set address, port, user and jump in the inventory", nil)
	}
	usual, err := a.usual(ctx)
	if err != nil {
		return reading{}, a.explain(q, err)
	}
	d, err := a.dump(ctx, argv)
	if err != nil {
		return reading{}, a.explain(q, err)
	}
	return d.reading(q, usual), nil
}

var errHung = errors.New("no answer in time")

// dump runs ssh once. Who comes after one that hung does not wait in vain.
func (a *asker) dump(ctx context.Context, argv []string) (dump, error) {
	if err := a.isBroken(); err != nil {
		return dump{}, err
	}
	timed, cancel := context.WithTimeoutCause(ctx, a.limit, errHung)
	defer cancel()
	out, errs, err := a.run(timed, a, argv)
	switch {
	case ctx.Err() != nil:
		return dump{}, context.Cause(ctx)
	case timed.Err() != nil:
		a.breakOff()
		return dump{}, errHung
	case err != nil:
		return dump{}, saidBy(errs, err)
	}
	return parseDump(out)
}

func (a *asker) isBroken() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

func (a *asker) breakOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = errHung
}

// saidBy is what ssh complained of, else how it ended.
func saidBy(errs []byte, err error) error {
	if lines := remote.CleanLines(string(errs), 2, peerText); len(lines) > 0 {
		return errors.New(strings.Join(lines, "; "))
	}
	return err
}

func (a *asker) explain(q query, err error) error {
	if errors.Is(err, errHung) {
		return askFault(fmt.Sprintf("%s -G gave no answer within %s for %s (or for a name before it)", a.program, a.limit, q.name),
			"look for a Match exec or a name server that hangs: "+a.byHand(q)+"; or pass --ssh-config none", nil)
	}
	return askFault("ssh itself can't tell from "+a.config+" how to reach "+q.name,
		"correct the file until this works: "+a.byHand(q)+"; or pass --ssh-config none", err)
}

func (a *asker) byHand(q query) string {
	argv, err := a.argv(q)
	if err != nil {
		return a.program
	}
	return remote.Quote(append([]string{a.program}, argv...))
}

func askFault(what, hint string, err error) error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepConnect, What: what, Hint: hint, Err: err}
}

// variable finds the names of variables in a line of ssh_config.
var variable = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// smallEnv is what ssh and the usual Match exec need, and what the file names. Not
// all of it: secrets may stand in variables (env:), and no program is to have those.
func smallEnv(statements []statement, me person) []string {
	names := map[string]bool{"SSH_AUTH_SOCK": true}
	for _, name := range []string{"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR", "XDG_RUNTIME_DIR", "SSH_CONNECTION", "SSH_TTY"} {
		names[name] = true
	}
	namesIn(statements, names)
	var env []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if value, ok := me.env(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func namesIn(statements []statement, names map[string]bool) {
	for _, st := range statements {
		for _, found := range variable.FindAllStringSubmatch(st.rest, -1) {
			names[found[1]] = true
		}
		for _, file := range st.files {
			namesIn(file, names)
		}
	}
}

// runSSH runs one ssh, with nothing to read, in a group of its own that ends with
// it: a Match exec may have started more.
func runSSH(ctx context.Context, a *asker, argv []string) (out, errs []byte, err error) {
	cmd := exec.CommandContext(ctx, a.program, argv...) // argv, no shell; names were checked
	stdout, stderr := &keeper{limit: maxDump + 1}, &keeper{limit: 4 << 10}
	cmd.Env, cmd.Stdout, cmd.Stderr = a.env, stdout, stderr
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	err = cmd.Run()
	return stdout.Bytes(), stderr.Bytes(), err
}

// keeper keeps the first bytes of what a program prints, and lets it go on.
type keeper struct {
	bytes.Buffer
	limit int
}

func (b *keeper) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); room > 0 {
		_, _ = b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
