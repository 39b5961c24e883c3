// Package posix is the userland of a simulated host that knows nothing of packages
// or services: processes, a POSIX shell (mvdan.cc/sh with handlers over a memfs
// file system), and the core utilities that patchring's scripts may use.
//
// It is no full shell. What scripts must not use is refused loudly before the
// script starts (see Check), and an option that a tool here doesn't know ends in
// exit status 2 with a message, so that nothing "succeeds" by ignorance.
package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"strings"
	"syscall"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

// Exit statuses that shells give.
const (
	Usage         = 2   // an option or use that the simulation does not know
	notExecutable = 126 // found, but not to be executed
	notFound      = 127
)

// Tool is a program: its arguments (the first is its name) in, its exit status out.
type Tool func(ctx context.Context, p *Proc, args []string) int

// System is the host that a process runs on.
type System interface {
	Userland
	Processes
}

// Userland is what is installed on a host, and who uses it.
type Userland interface {
	// Tool finds the program of a name that the file system's executable carries.
	Tool(name string) (Tool, bool)
	// Complain takes note of something that was asked for and is not simulated.
	Complain(what string)
	// User names a uid.
	User(uid int) string
}

// Processes is a host's process table.
type Processes interface {
	// Enter gives a process its number and lists it under /proc until leave.
	Enter(argv []string) (pid int, leave func())
	// Spawn runs a program of its own, that ends only by itself or with the host.
	Spawn(run func(ctx context.Context))
}

// Proc is a running program's surroundings. A nil In reads empty.
type Proc struct {
	System System
	FS     *memfs.FS
	UID    int
	Dir    string
	Env    map[string]string
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
}

// Child is a copy that may be changed without changing p.
func (p *Proc) Child() *Proc {
	child := *p
	child.Env = maps.Clone(p.Env)
	return &child
}

// Printf prints to standard output.
func (p *Proc) Printf(format string, args ...any) { fmt.Fprintf(p.Out, format, args...) }

// Errorf prints one line to standard error, after "NAME: ".
func (p *Proc) Errorf(name, format string, args ...any) {
	fmt.Fprintf(p.Err, "%s: %s\n", name, fmt.Sprintf(format, args...))
}

// Lacks says what the simulation does not know, on standard error and to the
// system: scripts often throw standard error away.
func (p *Proc) Lacks(format string, args ...any) {
	p.Errorf("lab", format, args...)
	p.System.Complain(fmt.Sprintf(format, args...))
}

// Fail prints an error about a file as the core utilities do, and gives status 1.
func (p *Proc) Fail(name string, err error) int {
	p.Errorf(name, "%s", Message(err))
	return 1
}

// Stdin reads from standard input, or nothing.
func (p *Proc) Stdin() io.Reader {
	if p.In == nil {
		return strings.NewReader("")
	}
	return p.In
}

// Abs makes a path absolute.
func (p *Proc) Abs(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(p.Dir, name)
}

// Message is an error in the words of strerror(3): "PATH: No such file or directory".
func Message(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Path + ": " + strerror(at.Err)
	}
	return strerror(err)
}

func strerror(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// Exec runs argv as a new process and gives its exit status.
func (p *Proc) Exec(ctx context.Context, argv []string) int {
	if ctx.Err() != nil {
		return 137 // killed, as everything on a host that goes down
	}
	file, code := p.Lookup(argv[0])
	switch {
	case code == notFound && !strings.Contains(argv[0], "/"):
		p.Errorf(argv[0], "not found")
		return code
	case code != 0:
		p.Errorf(argv[0], "%s", map[int]string{notFound: "not found", notExecutable: "Permission denied"}[code])
		return code
	}
	info, err := p.FS.Stat(p.UID, file, true)
	if err != nil {
		return p.Fail(argv[0], err)
	}
	if info.Tool == "" {
		return p.script(ctx, file, argv)
	}
	tool, ok := p.System.Tool(info.Tool)
	if !ok {
		p.Lacks("%s: this tool is not simulated", info.Tool)
		return Usage
	}
	return tool(ctx, p, argv)
}

// script runs an executable text file with the shell that its first line names.
func (p *Proc) script(ctx context.Context, file string, argv []string) int {
	src, err := p.FS.ReadFile(p.UID, file)
	if err != nil {
		return p.Fail(argv[0], err)
	}
	line, _, _ := bytes.Cut(src, []byte("\n"))
	if bytes.HasPrefix(line, []byte("#!")) && !bytes.HasSuffix(bytes.Fields(line[2:])[0], []byte("sh")) {
		p.Lacks("%s: no such interpreter is simulated: %s", argv[0], line)
		return Usage
	}
	return p.Shell(ctx, Script{Name: argv[0], Source: src, Params: argv[1:], Argv: append([]string{"/bin/sh"}, argv...)})
}

// Which finds the file that a command name stands for, as `command -v` does.
func (p *Proc) Which(name string) (string, bool) {
	file, code := p.Lookup(name)
	return file, code == 0
}

// Lookup finds the file that a command name stands for. The code is 0, 127 (not
// found) or 126 (found, and not executable).
func (p *Proc) Lookup(name string) (string, int) {
	if strings.Contains(name, "/") {
		file := p.Abs(name)
		return file, p.executable(file)
	}
	code := notFound
	for dir := range strings.SplitSeq(p.Env["PATH"], ":") {
		file := path.Join(p.Abs(dir), name)
		switch got := p.executable(file); got {
		case 0:
			return file, 0
		case notExecutable:
			code = got
		}
	}
	return "", code
}

func (p *Proc) executable(file string) int {
	info, err := p.FS.Stat(p.UID, file, true)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return notExecutable
	case err != nil:
		return notFound
	case info.IsDir(), p.FS.Access(p.UID, file, 1) != nil:
		return notExecutable
	}
	return 0
}
