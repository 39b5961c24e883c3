package posix

import (
	"context"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

// find walks trees in the order of names. It knows -xdev, -type, -name, -path, -newer,
// -cnewer (a file's times are one here), -maxdepth, -mindepth, -print, -o, ! and brackets.
func find(_ context.Context, p *Proc, args []string) int {
	words := args[1:]
	var roots []string
	for len(words) > 0 && words[0] != "(" && words[0] != "!" && words[0][0] != '-' {
		roots, words = append(roots, words[0]), words[1:]
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	f := finder{proc: p, words: words, deepest: 1 << 30}
	match := f.either()
	if f.bad == "" && len(f.words) > 0 {
		f.bad = f.words[0]
	}
	if f.bad != "" {
		p.Lacks("find: %s is not simulated", f.bad)
		return Usage
	}
	for _, root := range roots {
		f.walk(root, 0, match)
	}
	return f.code
}

type finder struct {
	proc             *Proc
	words            []string // of the expression, what is not read yet
	bad              string
	shallow, deepest int
	code             int
}

// findTest is one part of the expression.
type findTest func(name string, info *memfs.Info) bool

func (f *finder) walk(name string, depth int, match findTest) {
	info, err := f.proc.FS.Stat(f.proc.UID, f.proc.Abs(name), false)
	if err != nil {
		f.proc.Errorf("find", "'%s': %s", name, reason(err))
		f.code = 1
		return
	}
	if depth >= f.shallow && match(name, info) {
		f.proc.Printf("%s\n", name)
	}
	if !info.IsDir() || depth >= f.deepest {
		return
	}
	children, err := f.proc.FS.ReadDir(f.proc.UID, f.proc.Abs(name))
	if err != nil {
		f.proc.Errorf("find", "'%s': %s", name, reason(err))
		f.code = 1
	}
	for _, child := range children {
		f.walk(joined(name, child.Name()), depth+1, match)
	}
}

func joined(folder, name string) string {
	if folder == "/" {
		return "/" + name
	}
	return folder + "/" + name
}

// either reads "a -o b".
func (f *finder) either() findTest {
	tests := []findTest{f.both()}
	for f.take("-o") {
		tests = append(tests, f.both())
	}
	return func(name string, info *memfs.Info) bool {
		return slices.ContainsFunc(tests, func(t findTest) bool { return t(name, info) })
	}
}

// both reads "a b" up to what ends it.
func (f *finder) both() findTest {
	var tests []findTest
	for f.bad == "" && len(f.words) > 0 && f.words[0] != "-o" && f.words[0] != ")" {
		tests = append(tests, f.one())
	}
	return func(name string, info *memfs.Info) bool {
		return !slices.ContainsFunc(tests, func(t findTest) bool { return !t(name, info) })
	}
}

func (f *finder) one() findTest {
	switch {
	case f.take("!"):
		inner := f.one()
		return func(name string, info *memfs.Info) bool { return !inner(name, info) }
	case f.take("("):
		inner := f.either()
		if !f.take(")") {
			f.bad = "a bracket that does not close"
		}
		return inner
	}
	word := f.words[0]
	f.words = f.words[1:]
	switch word {
	case "-xdev", "-print":
		return always
	case "-type", "-name", "-path", "-newer", "-cnewer", "-maxdepth", "-mindepth":
		if len(f.words) > 0 {
			value := f.words[0]
			f.words = f.words[1:]
			return f.valued(word, value)
		}
	}
	f.bad = word
	return always
}

func always(string, *memfs.Info) bool { return true }

func (f *finder) valued(word, value string) findTest {
	switch word {
	case "-name":
		return func(name string, _ *memfs.Info) bool { return globbed(value, path.Base(name)) }
	case "-path":
		return func(name string, _ *memfs.Info) bool { return globbed(value, name) }
	case "-newer", "-cnewer":
		then := f.time(value)
		return func(_ string, info *memfs.Info) bool { return info.ModTime().After(then) }
	case "-type":
		letter, known := map[string]string{"f": "-", "d": "d", "l": "l"}[value]
		if !known {
			f.bad = "-type " + value
		}
		return func(_ string, info *memfs.Info) bool { return letters(info.Mode())[:1] == letter }
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		f.bad = word + " " + value
	}
	if word == "-maxdepth" {
		f.deepest = n
	} else {
		f.shallow = n
	}
	return always
}

func globbed(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func (f *finder) time(name string) time.Time {
	info, err := f.proc.FS.Stat(f.proc.UID, f.proc.Abs(name), true)
	if err != nil {
		f.bad = name
		return time.Time{}
	}
	return info.ModTime()
}

func (f *finder) take(word string) bool {
	if len(f.words) == 0 || f.words[0] != word {
		return false
	}
	f.words = f.words[1:]
	return true
}
