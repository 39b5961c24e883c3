package posix

import (
	"context"
	"crypto/md5" //nolint:gosec // md5sum is what apt's own output carries
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// openIn opens a file for reading, or standard input for "-".
func (p *Proc) openIn(name string) (io.Reader, error) {
	if name == "-" {
		return p.Stdin(), nil
	}
	info, err := p.FS.Stat(p.UID, p.Abs(name), true)
	if err == nil && info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	file, err := p.FS.Open(p.UID, p.Abs(name), os.O_RDONLY, 0)
	if err != nil {
		return nil, renamed(err, name)
	}
	return file, nil
}

// renamed makes an error name the file as the user wrote it.
func renamed(err error, name string) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: at.Op, Path: name, Err: at.Err}
	}
	return err
}

// each runs do over the named files, or standard input if there are none.
func (p *Proc) each(tool string, names []string, do func(name string, r io.Reader) error) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	code := 0
	for _, name := range names {
		r, err := p.openIn(name)
		if err == nil {
			err = do(name, r)
		}
		if err != nil {
			code = p.Fail(tool, err)
		}
	}
	return code
}

func cat(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "u")
	if !ok {
		return Usage
	}
	return p.each("cat", o.Args, func(_ string, r io.Reader) error {
		_, err := io.Copy(p.Out, r)
		return err
	})
}

func tee(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "a")
	if !ok {
		return Usage
	}
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if o.Has("a") {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	outs, code := []io.Writer{p.Out}, 0
	for _, name := range o.Args {
		file, err := p.FS.Open(p.UID, p.Abs(name), flag, 0o644)
		if err != nil {
			code = p.Fail("tee", err)
			continue
		}
		outs = append(outs, file)
	}
	if _, err := io.Copy(io.MultiWriter(outs...), p.Stdin()); err != nil {
		return p.Fail("tee", err)
	}
	return code
}

// mode parses an octal mode.
func mode(text string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(text, 8, 12)
	if err != nil {
		return 0, fmt.Errorf("invalid mode: '%s'", text)
	}
	m := fs.FileMode(n) & fs.ModePerm
	if n&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m, nil
}

func mkdir(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "pm:", "parents|p", "mode=|m")
	if !ok {
		return Usage
	}
	perm := fs.FileMode(0o755)
	if o.Has("m") {
		m, err := mode(o.Value("m"))
		if err != nil {
			return p.Fail("mkdir", err)
		}
		perm = m
	}
	code := 0
	for _, name := range o.Args {
		mk := p.FS.Mkdir
		if o.Has("p") {
			mk = p.FS.MkdirAll
		}
		if err := mk(p.UID, p.Abs(name), perm); err != nil {
			p.Errorf("mkdir", "cannot create directory '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

// reason is the error alone, without the path.
func reason(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return strerror(at.Err)
	}
	return strerror(err)
}

func rmdir(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "")
	if !ok {
		return Usage
	}
	code := 0
	for _, name := range o.Args {
		if err := p.FS.Remove(p.UID, p.Abs(name), true); err != nil {
			p.Errorf("rmdir", "failed to remove '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

func rm(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "rRf", "recursive|r", "force|f")
	if !ok {
		return Usage
	}
	code := 0
	for _, name := range o.Args {
		err := p.remove(name, o.Has("r", "R"))
		if err != nil && (!o.Has("f") || !errors.Is(err, fs.ErrNotExist)) {
			p.Errorf("rm", "cannot remove '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

func (p *Proc) remove(name string, tree bool) error {
	full := p.Abs(name)
	if _, err := p.FS.Stat(p.UID, full, false); err != nil {
		return err
	}
	if tree {
		return p.FS.RemoveAll(p.UID, full)
	}
	return p.FS.Remove(p.UID, full, false)
}

func mv(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "fnT", "force|f")
	if !ok || len(o.Args) < 2 {
		return Usage
	}
	return p.into("mv", o, func(from, to string) error {
		if _, err := p.FS.Stat(p.UID, to, false); err == nil && o.Has("n") {
			return nil
		}
		return p.FS.Rename(p.UID, from, to)
	})
}

func cp(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "fpa")
	if !ok || len(o.Args) < 2 {
		return Usage
	}
	return p.into("cp", o, func(from, to string) error {
		data, err := p.FS.ReadFile(p.UID, from)
		if err != nil {
			return err
		}
		file, err := p.FS.Open(p.UID, to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		_, err = file.Write(data)
		return err
	})
}

// into applies do to each source and its place in the last operand, which may be
// a directory.
func (p *Proc) into(tool string, o Options, do func(from, to string) error) int {
	last := len(o.Args) - 1
	target, code := p.Abs(o.Args[last]), 0
	info, err := p.FS.Stat(p.UID, target, true)
	dir := err == nil && info.IsDir() && !o.Has("T")
	for _, from := range o.Args[:last] {
		to := target
		if dir {
			to = path.Join(target, path.Base(from))
		}
		if err := do(p.Abs(from), to); err != nil {
			p.Errorf(tool, "cannot use '%s': %s", from, reason(err))
			code = 1
		}
	}
	return code
}

func checksum(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "")
	if !ok {
		return Usage
	}
	return p.each(args[0], o.Args, func(name string, r io.Reader) error {
		sum := hasher(args[0])
		if _, err := io.Copy(sum, r); err != nil {
			return err
		}
		p.Printf("%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name)
		return nil
	})
}

func hasher(tool string) hash.Hash {
	if strings.HasSuffix(tool, "md5sum") {
		return md5.New() //nolint:gosec // see the import
	}
	return sha256.New()
}
