package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/imports"
)

// InitOptions are those of `init`.
type InitOptions struct {
	Dir        string
	From       string // "", "ssh-config", "csv"
	File       string
	Test       []string
	Production []string
	User       string
}

// Init writes a first inventory and playbook. It never overwrites a file.
func (e Env) Init(ctx context.Context, o InitOptions) (Ending, error) {
	draft, err := e.draft(ctx, o)
	if err != nil {
		return Ending{}, err
	}
	dir := o.Dir
	if dir == "" {
		dir = "."
	}
	files := []struct{ path, text string }{
		{filepath.Join(dir, defaultInventory), draft.Inventory},
		{filepath.Join(dir, "playbooks", "monthly.yaml"), draft.Playbook},
	}
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil {
			return Ending{}, fault.Usagef("move it away first, or name another folder: patchring init DIR", "%s is there already; nothing was written", f.path)
		}
	}
	for _, f := range files {
		if err := writeNew(f.path, f.text); err != nil {
			return Ending{}, err
		}
		e.say("wrote %s", f.path)
	}
	for _, note := range draft.Notes {
		e.say("note: %s", note)
	}
	e.say("next: patchring doctor, then patchring plan %s", filepath.Join("playbooks", "monthly.yaml"))
	return Ending{}, nil
}

func writeNew(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // no secret is in there; a team reads it
		return &fault.Error{Code: fault.Usage, What: "can't make the folder", Err: err}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // as above
	if errors.Is(err, fs.ErrExist) {
		return fault.Usagef("move it away first", "%s is there already", path)
	}
	if err != nil {
		return &fault.Error{Code: fault.Usage, What: "can't write " + path, Err: err}
	}
	if _, err = f.WriteString(text); err != nil {
		_ = f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close() //nolint:wrapcheck // names the file
}

func (e Env) draft(ctx context.Context, o InitOptions) (imports.Draft, error) {
	switch o.From {
	case "ssh-config":
		path := o.File
		if path == "" {
			path = filepath.Join(e.Home, ".ssh", "config")
		}
		src, err := readConfig(path, "name another with --file")
		if err != nil {
			return imports.Draft{}, err
		}
		return imports.FromSSHConfig(src) //nolint:wrapcheck // carries a hint
	case "csv":
		if o.File == "" {
			return imports.Draft{}, fault.Usagef("add --file hosts.csv", "--from csv needs a file")
		}
		src, err := readConfig(o.File, "check the path")
		if err != nil {
			return imports.Draft{}, err
		}
		return imports.FromCSV(src) //nolint:wrapcheck // carries a hint
	case "":
		return e.fromAnswers(ctx, o)
	}
	return imports.Draft{}, fault.Usagef("use --from ssh-config or --from csv", "can't read an inventory from %q", o.From)
}

// fromAnswers takes the hosts from flags, or asks for them on a terminal; without
// either it writes an example to be edited.
func (e Env) fromAnswers(ctx context.Context, o InitOptions) (imports.Draft, error) {
	answers := imports.Answers{User: o.User, Test: o.Test, Production: o.Production}
	if e.Terminal && len(o.Test)+len(o.Production) == 0 {
		if err := e.interview(ctx, &answers); err != nil {
			return imports.Draft{}, err
		}
	}
	if answers.User != "" && answers.User != "root" {
		answers.Become = "sudo" // patches need root
	}
	if len(answers.Test)+len(answers.Production) == 0 {
		return imports.Draft{}, fault.Usagef("add --test HOST --production HOST, or --from ssh-config, or --from csv --file FILE", "no host was named")
	}
	return imports.FromAnswers(answers) //nolint:wrapcheck // carries a hint
}

func (e Env) interview(ctx context.Context, a *imports.Answers) error {
	lines := bufio.NewScanner(e.In)
	ask := func(question string) []string {
		_, _ = fmt.Fprintf(e.Err, "%s ", question)
		if ctx.Err() != nil || !lines.Scan() {
			return nil
		}
		return strings.FieldsFunc(lines.Text(), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	}
	if user := ask("User to log in as [root]:"); len(user) > 0 {
		a.User = user[0]
	}
	a.Test = ask("Hosts of the test ring (NAME or NAME=ADDRESS, with spaces between):")
	a.Production = ask("Hosts of production (a range like web-[01:04] works):")
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the answers: %w", err)
	}
	return ctx.Err() //nolint:wrapcheck // the user's own Ctrl-C
}
