package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// Script is a shell script and what it is called with.
type Script struct {
	Name   string // $0
	Source []byte
	Params []string // $1 …
	Set    []string // options as for set: "-e", "-u"
	Argv   []string // what /proc shows; nil: sh
}

// These are how "command -v", "type" and "pwd" reach our own: the interpreter's
// would look at the machine that the lab runs on.
const (
	whichBuiltin = "lab-command-v"
	typeBuiltin  = "lab-type"
	pwdBuiltin   = "lab-pwd"
)

// Shell runs a script in this process and gives its exit status. Commands that the
// script left in the background keep running after it.
func (p *Proc) Shell(ctx context.Context, s Script) int {
	file, err := parse(s)
	if err != nil {
		p.Errorf(s.Name, "%s", err)
		return Usage
	}
	if found := check(file); len(found) > 0 {
		p.Lacks("%s: outside of the shell subset: %s", s.Name, strings.Join(found, "; "))
		return Usage
	}
	// What POSIX accepts is run as bash reads it: the interpreter knows "export" and
	// "readonly" in that form only.
	if file, err = parseAs(s, syntax.LangBash); err != nil {
		p.Errorf(s.Name, "%s", err)
		return Usage
	}
	pid, leave := p.System.Enter(cmdline(s))
	defer leave()
	ownPID(file, pid)
	runner, err := p.runner(s)
	if err != nil {
		p.Lacks("%s", err)
		return Usage
	}
	code := p.status(runner.Run(ctx, file))
	p.reap(runner)
	return code
}

func cmdline(s Script) []string {
	if s.Argv != nil {
		return s.Argv
	}
	return append([]string{"sh", s.Name}, s.Params...)
}

// ownPID makes $$ the simulated process's number: the interpreter would give that
// of the process which all simulated hosts share.
func ownPID(file *syntax.File, pid int) {
	syntax.Walk(file, func(n syntax.Node) bool {
		if x, ok := n.(*syntax.ParamExp); ok && x.Param != nil && x.Param.Value == "$" {
			number := &syntax.Lit{Value: strconv.Itoa(pid)}
			x.Param = &syntax.Lit{Value: "LAB_UNSET"}
			x.Exp = &syntax.Expansion{Op: syntax.DefaultUnset, Word: &syntax.Word{Parts: []syntax.WordPart{number}}}
		}
		return true
	})
}

// parse reads a script as POSIX says.
func parse(s Script) (*syntax.File, error) { return parseAs(s, syntax.LangPOSIX) }

func parseAs(s Script, language syntax.LangVariant) (*syntax.File, error) {
	file, err := syntax.NewParser(syntax.Variant(language)).Parse(bytes.NewReader(s.Source), s.Name)
	if err != nil {
		return nil, fmt.Errorf("syntax error: %w", err)
	}
	spellOut(file)
	return file, nil
}

func (p *Proc) runner(s Script) (*interp.Runner, error) {
	runner, err := interp.New(
		interp.Env(p.environ()),
		interp.StdIO(p.In, p.Out, p.Err),
		interp.CallHandler(redirectLookups),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return p.exec }),
		interp.OpenHandler(p.open),
		interp.ReadDirHandler2(p.readDir),
		interp.StatHandler(p.stat),
		interp.AccessHandler(p.access),
		interp.Dir("/"),
		interp.Params(append(append(s.Set, "--"), s.Params...)...),
	)
	if err != nil {
		return nil, fmt.Errorf("start the shell: %w", err)
	}
	runner.Dir = p.Dir // the option would look for it on the machine that the lab runs on
	return runner, nil
}

// reap lets the interpreter's background commands end before they are forgotten.
func (p *Proc) reap(runner *interp.Runner) {
	p.System.Spawn(func(ctx context.Context) {
		// Only "wait" runs here; how it ends changes nothing.
		_ = runner.Run(ctx, &syntax.CallExpr{Args: []*syntax.Word{{Parts: []syntax.WordPart{&syntax.Lit{Value: "wait"}}}}})
	})
}

func (p *Proc) status(err error) int {
	var exit interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 137
	}
	p.Lacks("%s", err)
	return Usage
}

// environ gives the exported variables. The interpreter would make up UID and GID
// from the machine that the lab runs on; dash has no such variables.
func (p *Proc) environ() expand.Environ {
	list := make([]string, 0, len(p.Env)+3)
	for name, value := range p.Env {
		list = append(list, name+"="+value)
	}
	list = append(list, "UID=", "EUID=", "GID=")
	return expand.ListEnviron(list...)
}

func redirectLookups(_ context.Context, args []string) ([]string, error) {
	switch {
	case len(args) > 1 && args[0] == "command" && args[1] == "-v":
		return append([]string{whichBuiltin}, args[2:]...), nil
	case args[0] == "trap" && !slices.Contains(args, "EXIT") && !slices.Contains(args, "0"):
		return []string{"true"}, nil // no signal ever arrives here
	case args[0] == "type":
		return append([]string{typeBuiltin}, args[1:]...), nil
	case args[0] == "pwd":
		return append([]string{pwdBuiltin}, args[1:]...), nil
	case args[0] == "printf" && len(args) > 1:
		return upperHex(args), nil
	}
	return args, nil
}

// inside is the process that a handler is called for: the shell's redirections,
// directory and variables at that point.
func (p *Proc) inside(hc interp.HandlerContext) *Proc {
	child := *p
	child.Dir, child.In, child.Out, child.Err = hc.Dir, hc.Stdin, hc.Stdout, hc.Stderr
	child.Env = map[string]string{}
	hc.Env.Each(func(name string, v expand.Variable) bool {
		if v.Exported && v.Kind == expand.String {
			child.Env[name] = v.Str
		}
		return true
	})
	for _, own := range []string{"UID", "EUID", "GID"} {
		delete(child.Env, own)
	}
	return &child
}

func (p *Proc) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	child := p.inside(hc)
	// Lookups go by the shell's own PATH, exported or not.
	child.Env["PATH"] = hc.Env.Get("PATH").String()
	run := child.Exec
	switch args[0] {
	case whichBuiltin, typeBuiltin:
		run = child.lookup
	case pwdBuiltin:
		run = func(ctx context.Context, args []string) int { return pwd(ctx, child, args) }
	}
	code := run(ctx, args)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if code != 0 {
		return interp.ExitStatus(code & 0xff)
	}
	return nil
}

func (p *Proc) lookup(_ context.Context, args []string) int {
	code := 0
	for _, name := range args[1:] {
		found, ok := name, builtin(name)
		if !ok {
			found, ok = p.Which(name)
		}
		switch {
		case !ok:
			code = notFound
		case args[0] == typeBuiltin:
			p.Printf("%s is %s\n", name, found)
		default:
			p.Printf("%s\n", found)
		}
	}
	return code
}

func (p *Proc) open(ctx context.Context, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	at := *p
	at.Dir = interp.HandlerCtx(ctx).Dir
	return openFile(at.FS.Open(at.UID, at.Abs(name), flag, perm))
}

// openFile keeps a nil *File from becoming an interface that is not nil.
func openFile[F io.ReadWriteCloser](file F, err error) (io.ReadWriteCloser, error) {
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (p *Proc) readDir(_ context.Context, name string) ([]fs.DirEntry, error) {
	list, err := p.FS.ReadDir(p.UID, name)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, 0, len(list))
	for _, info := range list {
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	return entries, nil
}

func (p *Proc) stat(_ context.Context, name string, follow bool) (fs.FileInfo, error) {
	info, err := p.FS.Stat(p.UID, name, follow)
	if err != nil {
		return nil, err
	}
	return info, nil
}

func (p *Proc) access(_ context.Context, name string, mode interp.AccessMode) error {
	return p.FS.Access(p.UID, name, fs.FileMode(mode))
}
