package health

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// Conffiles asks that no package manager has left a configuration file beside the
// admin's own, such as nginx.conf.dpkg-dist: for a file, beside that very file; for a
// folder, anywhere below it. Where a path does not exist there is nothing to merge:
// what counts then is only what lies beside it, such as the .rpmsave of a removed file.
type Conffiles struct {
	Paths []string // absolute, none of them a pattern
}

// leftEndings are what package managers put behind the name of the file in use, in
// this very case. The script looks for the same.
func leftEndings() []string {
	return []string{".dpkg-dist", ".dpkg-new", ".ucf-dist", ".rpmnew", ".rpmsave", ".pacnew", ".pacsave", ".apk-new"}
}

func (c Conffiles) valid() error {
	if len(c.Paths) == 0 {
		return errors.New("no paths are named")
	}
	for _, p := range c.Paths {
		if !strings.HasPrefix(p, "/") || strings.ContainsRune(p, 0) {
			return fmt.Errorf("%q is not an absolute path", p)
		}
	}
	return nil
}

// words are the paths as the shell's cd reads them, and without slashes at their ends, to
// which no ending could be put.
func (c Conffiles) words() []string {
	words := slices.Clone(c.Paths)
	for i := range words {
		words[i] = path.Clean(words[i])
	}
	return words
}

func (c Conffiles) name() string {
	switch len(c.Paths) {
	case 0:
		return "conffiles"
	case 1:
		return "conffiles " + c.Paths[0]
	}
	return fmt.Sprintf("conffiles %s and %d more", c.Paths[0], len(c.Paths)-1)
}

// judgeConffiles reads the first few files that were found, or "none". One that was
// found fails the check though not all of the rest could be looked at; none is a pass
// only where everything was.
func judgeConffiles(f remote.Frame) (Verdict, string) {
	said := bytes.TrimSpace(f.Body)
	left := leftFiles(f.Body)
	switch {
	case len(left) > 0:
		return Fail, toldLeft(left)
	case f.Code == 0 && string(said) == "none":
		return Pass, "nothing was left beside"
	case f.Code == 124:
		return Unknown, "the search did not end in time"
	}
	return Unknown, "not all could be looked at: " + cmp.Or(clean(said), fmt.Sprintf("exit status %d", f.Code))
}

// leftFiles are the lines that name a left file; others are what tools complain of.
func leftFiles(out []byte) []string {
	var left []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		ends := func(ending string) bool { return strings.HasSuffix(line, ending) }
		if strings.HasPrefix(line, "/") && slices.ContainsFunc(leftEndings(), ends) {
			left = append(left, line)
		}
	}
	slices.Sort(left)
	return slices.Compact(left)
}

func toldLeft(left []string) string {
	const shown, bytesEach = 5, 100
	more := ""
	if len(left) > shown {
		left, more = left[:shown], " and more"
	}
	var names []string
	for _, name := range left {
		names = append(names, remote.Clean(name, bytesEach))
	}
	return "left to be merged: " + strings.Join(names, ", ") + more
}
