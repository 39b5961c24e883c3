package posix

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

func isExist(err error) bool { return errors.Is(err, fs.ErrExist) }

func env(ctx context.Context, p *Proc, args []string) int {
	o, ok := p.ParseFirst(args, "iu:")
	if !ok {
		return Usage
	}
	child := p.Child()
	if o.Has("i") {
		clear(child.Env)
		child.Env["PATH"] = p.Env["PATH"]
	}
	for _, name := range o.All("u") {
		delete(child.Env, name)
	}
	rest := o.Args
	for len(rest) > 0 && strings.Contains(rest[0], "=") {
		name, value, _ := strings.Cut(rest[0], "=")
		child.Env[name] = value
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return child.Exec(ctx, rest)
	}
	list := make([]string, 0, len(child.Env))
	for name, value := range child.Env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	for _, line := range list {
		p.Printf("%s\n", line)
	}
	return 0
}

// setsid runs the command in a session of its own. Called with & its process is
// one that ends only with itself or with the host; the context of a simulated
// process is the host's anyway, so nothing more is needed.
func setsid(ctx context.Context, p *Proc, args []string) int {
	o, ok := p.ParseFirst(args, "cfw", "fork|f", "wait|w")
	if !ok || len(o.Args) == 0 {
		return Usage
	}
	if !o.Has("f") {
		return p.Exec(ctx, o.Args)
	}
	child := p.Child()
	child.In = nil
	p.System.Spawn(func(ctx context.Context) { child.Exec(ctx, o.Args) })
	return 0
}

func nohup(ctx context.Context, p *Proc, args []string) int {
	o, ok := p.ParseFirst(args, "")
	if !ok || len(o.Args) == 0 {
		return 125
	}
	return p.Exec(ctx, o.Args)
}

// nice is also ionice and stdbuf: priorities and buffers don't exist here.
func nice(ctx context.Context, p *Proc, args []string) int {
	o, ok := p.ParseFirst(args, "n:c:to:e:i:")
	if !ok || len(o.Args) == 0 {
		return Usage
	}
	return p.Exec(ctx, o.Args)
}

// shell is sh: -c, -s or a file.
func shell(ctx context.Context, p *Proc, args []string) int {
	o, ok := p.ParseFirst(args, "ceusx")
	if !ok {
		return Usage
	}
	var set []string
	for _, flag := range []string{"e", "u", "x"} {
		if o.Has(flag) {
			set = append(set, "-"+flag)
		}
	}
	rest := o.Args
	switch {
	case o.Has("c"):
		return p.commandString(ctx, set, rest)
	case o.Has("s"), len(rest) == 0:
		src, err := io.ReadAll(p.Stdin())
		if err != nil {
			return p.Fail("sh", err)
		}
		return p.Shell(ctx, Script{Name: "sh", Source: src, Params: rest, Set: set})
	}
	src, err := p.FS.ReadFile(p.UID, p.Abs(rest[0]))
	if err != nil {
		p.Errorf("sh", "0: cannot open %s: %s", rest[0], reason(err))
		return Usage
	}
	return p.Shell(ctx, Script{Name: rest[0], Source: src, Params: rest[1:], Set: set, Argv: args})
}

func (p *Proc) commandString(ctx context.Context, set, rest []string) int {
	if len(rest) == 0 {
		p.Errorf("sh", "0: -c requires an argument")
		return Usage
	}
	script := Script{Name: "sh", Source: []byte(rest[0]), Set: set}
	if len(rest) > 1 {
		script.Name, script.Params = rest[1], rest[2:]
	}
	return p.Shell(ctx, script)
}

// test outside of a shell (env test …) is handed to a shell, which has it built in.
func test(ctx context.Context, p *Proc, args []string) int {
	return p.Shell(ctx, Script{Name: "test", Source: []byte(`test "$@"`), Params: testArgs(args)})
}

func testArgs(args []string) []string {
	if path.Base(args[0]) == "[" && args[len(args)-1] == "]" {
		return args[1 : len(args)-1]
	}
	return args[1:]
}

func inShell(ctx context.Context, p *Proc, args []string) int {
	return p.Shell(ctx, Script{Name: args[0], Source: []byte(path.Base(args[0]) + ` "$@"`), Params: args[1:]})
}

func pwd(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "LP")
	if !ok || len(o.Args) > 0 {
		return Usage
	}
	dir := p.Dir
	if o.Has("P") {
		real, err := p.FS.Real(p.UID, dir)
		if err != nil {
			return p.Fail("pwd", err)
		}
		dir = real
	}
	p.Printf("%s\n", dir)
	return 0
}

func id(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "ugn")
	if !ok || len(o.Args) > 0 {
		return Usage
	}
	name := p.System.User(p.UID)
	switch {
	case o.Has("n"):
		p.Printf("%s\n", name)
	case o.Has("u", "g"):
		p.Printf("%d\n", p.UID)
	default:
		p.Printf("uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", p.UID, name, p.UID, name, p.UID, name)
	}
	return 0
}

func whoami(_ context.Context, p *Proc, _ []string) int {
	p.Printf("%s\n", p.System.User(p.UID))
	return 0
}

func tty(_ context.Context, p *Proc, _ []string) int {
	p.Printf("not a tty\n")
	return 1
}

func xargs(ctx context.Context, p *Proc, args []string) int {
	o, ok := p.ParseFirst(args, "r0", "no-run-if-empty|r")
	if !ok || len(o.Args) == 0 {
		return Usage
	}
	in, err := io.ReadAll(p.Stdin())
	if err != nil {
		return p.Fail("xargs", err)
	}
	words := strings.Fields(string(in))
	if o.Has("0") {
		words = strings.Split(strings.TrimSuffix(string(in), "\x00"), "\x00")
	}
	if len(words) == 0 && o.Has("r") {
		return 0
	}
	child := p.Child()
	child.In = nil
	return child.Exec(ctx, append(slices.Clone(o.Args), words...))
}
