package posix

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

func ls(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "1aAdlrti")
	if !ok {
		return Usage
	}
	names, code := o.Args, 0
	if len(names) == 0 {
		names = []string{"."}
	}
	for _, name := range names {
		list, err := p.listed(name, o)
		if err != nil {
			p.Errorf("ls", "cannot access '%s': %s", name, reason(err))
			code = Usage // as real ls: 2 when an operand can't be accessed
			continue
		}
		for _, line := range list {
			p.Printf("%s\n", line)
		}
	}
	return code
}

func (p *Proc) listed(name string, o Options) ([]string, error) {
	info, err := p.FS.Stat(p.UID, p.Abs(name), false)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() || o.Has("d") {
		return []string{p.long(info, name, o)}, nil
	}
	list, err := p.FS.ReadDir(p.UID, p.Abs(name))
	if err != nil {
		return nil, err
	}
	if o.Has("t") {
		slices.SortStableFunc(list, func(a, b *memfs.Info) int { return b.ModTime().Compare(a.ModTime()) })
	}
	if o.Has("r") {
		slices.Reverse(list)
	}
	var lines []string
	for _, child := range list {
		if !strings.HasPrefix(child.Name(), ".") || o.Has("a", "A") {
			lines = append(lines, p.long(child, child.Name(), o))
		}
	}
	return lines, nil
}

func (p *Proc) long(i *memfs.Info, name string, o Options) string {
	if o.Has("i") {
		name = fmt.Sprintf("%d %s", i.Inode, name)
	}
	if !o.Has("l") {
		return name
	}
	owner := p.System.User(i.UID)
	if i.Link != "" {
		name += " -> " + i.Link
	}
	return fmt.Sprintf("%s 1 %s %s %d %s %s", letters(i.Mode()), owner, owner, i.Size(), i.ModTime().UTC().Format("Jan _2 15:04"), name)
}

func letters(m fs.FileMode) string {
	kind := "-"
	switch {
	case m.IsDir():
		kind = "d"
	case m&fs.ModeSymlink != 0:
		kind = "l"
	case m&fs.ModeCharDevice != 0:
		kind = "c"
	}
	return kind + m.Perm().String()[1:]
}

func chmod(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "")
	if !ok || len(o.Args) < 2 {
		return Usage
	}
	perm, err := mode(o.Args[0])
	if err != nil {
		p.Lacks("chmod: only octal modes are simulated, not %s", o.Args[0])
		return Usage
	}
	code := 0
	for _, name := range o.Args[1:] {
		if err := p.FS.Chmod(p.UID, p.Abs(name), perm); err != nil {
			p.Errorf("chmod", "cannot access '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

func chown(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "")
	if !ok || len(o.Args) < 2 {
		return Usage
	}
	owner, _, _ := strings.Cut(o.Args[0], ":")
	code := 0
	for _, name := range o.Args[1:] {
		if err := p.FS.Chown(p.UID, p.Abs(name), uidOf(owner)); err != nil {
			p.Errorf("chown", "changing ownership of '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

// uidOf: there are two users on a simulated host, root and the one who logs in.
func uidOf(owner string) int {
	if n, err := strconv.Atoi(owner); err == nil {
		return n
	}
	if owner == "root" {
		return memfs.Root
	}
	return 1000
}

func touch(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "c")
	if !ok {
		return Usage
	}
	code := 0
	for _, name := range o.Args {
		err := p.FS.Touch(p.UID, p.Abs(name))
		if err != nil && !o.Has("c") {
			_, err = p.FS.Open(p.UID, p.Abs(name), os.O_WRONLY|os.O_CREATE, 0o644)
		}
		if err != nil {
			p.Errorf("touch", "cannot touch '%s': %s", name, reason(err))
			code = 1
		}
	}
	return code
}

func ln(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "sf")
	if !ok || !o.Has("s") || len(o.Args) != 2 {
		return Usage
	}
	if o.Has("f") {
		// What isn't there needs no removing.
		_ = p.FS.Remove(p.UID, p.Abs(o.Args[1]), false)
	}
	if err := p.FS.Symlink(p.UID, o.Args[0], p.Abs(o.Args[1])); err != nil {
		p.Errorf("ln", "failed to create symbolic link '%s': %s", o.Args[1], reason(err))
		return 1
	}
	return 0
}

func readlink(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "fem")
	if !ok || len(o.Args) == 0 {
		return Usage
	}
	full := o.Has("f", "e", "m") || path.Base(args[0]) == "realpath"
	name := p.Abs(o.Args[0])
	for range 40 {
		info, err := p.FS.Stat(p.UID, name, false)
		if err != nil || info.Link == "" {
			break
		}
		target := info.Link
		if !full {
			p.Printf("%s\n", target)
			return 0
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(name), target)
		}
		name = target
	}
	if !full {
		return 1
	}
	p.Printf("%s\n", path.Clean(name))
	return 0
}

func stat(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "c:L", "format=|c")
	if !ok || !o.Has("c") {
		return Usage
	}
	code := 0
	for _, name := range o.Args {
		i, err := p.FS.Stat(p.UID, p.Abs(name), o.Has("L"))
		if err != nil {
			p.Errorf("stat", "cannot statx '%s': %s", name, reason(err))
			code = 1
			continue
		}
		p.Printf("%s\n", strings.NewReplacer(
			"%a", strconv.FormatUint(uint64(i.Mode().Perm()), 8), "%s", strconv.FormatInt(i.Size(), 10), "%n", name,
			"%Y", strconv.FormatInt(i.ModTime().Unix(), 10), "%u", strconv.Itoa(i.UID), "%U", p.System.User(i.UID), "%A", letters(i.Mode()),
		).Replace(o.Value("c")))
	}
	return code
}

func mktemp(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "d")
	if !ok || len(o.Args) > 1 {
		return Usage
	}
	pattern := "/tmp/tmp.XXXXXXXXXX"
	if len(o.Args) == 1 {
		pattern = p.Abs(o.Args[0])
	}
	stem := strings.TrimRight(pattern, "X")
	for n := range 100000 {
		name := fmt.Sprintf("%s%0*d", stem, len(pattern)-len(stem), n)
		var err error
		if o.Has("d") {
			err = p.FS.Mkdir(p.UID, name, 0o700)
		} else {
			_, err = p.FS.Open(p.UID, name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		}
		switch {
		case err == nil:
			p.Printf("%s\n", name)
			return 0
		case !isExist(err):
			return p.Fail("mktemp", err)
		}
	}
	return 1
}

func install(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "dm:o:g:")
	if !ok || !o.Has("d") {
		return Usage
	}
	perm, err := mode(o.Value("m"))
	if err != nil {
		perm = 0o755
	}
	code := 0
	for _, name := range o.Args {
		if err := p.FS.MkdirAll(p.UID, p.Abs(name), perm); err != nil {
			code = p.Fail("install", err)
		}
	}
	return code
}
