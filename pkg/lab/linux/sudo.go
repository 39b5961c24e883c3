package linux

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

const rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func (m *Machine) sudo(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.ParseFirst(args, "nSp:u:HkEvA", "non-interactive|n", "stdin|S", "prompt=|p", "user=|u", "set-home|H", "validate|v", "reset-timestamp|k")
	if !ok {
		return posix.Usage
	}
	if o.Has("u") && o.Value("u") != "root" {
		p.Lacks("sudo to %s is not simulated", o.Value("u"))
		return posix.Usage
	}
	keep, code := m.admit(p, o)
	if code != 0 {
		return code
	}
	if o.Has("v") {
		return 0
	}
	if len(o.Args) == 0 {
		fmt.Fprintln(p.Err, "usage: sudo -h | -K | -k | -V")
		return 1
	}
	return m.asRoot(ctx, p, o.Args, keep)
}

// admit asks the host's rules; the names are the variables that they let through.
func (m *Machine) admit(p *posix.Proc, o posix.Options) (keep []string, code int) {
	if p.UID == memfs.Root {
		return nil, 0
	}
	rules, ok, err := m.rules()
	switch {
	case err != nil:
		fmt.Fprintf(p.Err, "sudo: %v\nsudo: no valid sudoers sources found, quitting\n", err)
		return nil, 1
	case ok:
		return m.byRules(p, o, rules)
	case m.conf.Sudo == "nopasswd":
		return nil, 0
	case m.conf.Sudo == "none":
		return nil, m.authenticate(p, o, passwordTries, m.conf.User+" is not in the sudoers file.")
	}
	return nil, m.authenticate(p, o, passwordTries, "")
}

// asRoot runs argv with the clean environment that sudo gives.
func (m *Machine) asRoot(ctx context.Context, p *posix.Proc, argv, keep []string) int {
	child := p.Child()
	child.UID = memfs.Root
	child.Env = map[string]string{
		"PATH": rootPath, "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash",
		"SUDO_USER": m.conf.User, "SUDO_UID": "1000", "SUDO_GID": "1000", "SUDO_COMMAND": strings.Join(argv, " "),
	}
	for name, value := range p.Env {
		if name == "LANG" || strings.HasPrefix(name, "LC_") || slices.Contains(keep, name) {
			child.Env[name] = value
		}
	}
	for len(argv) > 0 && !strings.HasPrefix(argv[0], "/") && strings.Contains(argv[0], "=") {
		name, value, _ := strings.Cut(argv[0], "=")
		child.Env[name] = value
		argv = argv[1:]
	}
	if _, code := child.Lookup(argv[0]); code != 0 {
		fmt.Fprintf(p.Err, "sudo: %s: command not found\n", argv[0])
		return 1
	}
	return child.Exec(ctx, argv)
}

// passwordTries is how often sudo asks, unless its rules say otherwise.
const passwordTries = 3

// authenticate asks for the password, in the words of sudo 1.9. What is denied is so only
// after the right one.
func (m *Machine) authenticate(p *posix.Proc, o posix.Options, tries int, denied string) int {
	switch {
	case o.Has("n"):
		fmt.Fprintln(p.Err, "sudo: a password is required")
		return 1
	case !o.Has("S"):
		fmt.Fprintln(p.Err, "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required")
		return 1
	}
	prompt := "[sudo] password for " + m.conf.User + ": "
	if o.Has("p") {
		prompt = o.Value("p")
	}
	return m.ask(p, prompt, tries, denied)
}

// ask takes passwords from standard input, one line each. What comes after the right one
// stays there for the command.
func (m *Machine) ask(p *posix.Proc, prompt string, tries int, denied string) int {
	for n := range tries {
		fmt.Fprint(p.Err, prompt)
		given, err := readLine(p.Stdin())
		switch {
		case err != nil && given == "" && n == 0:
			fmt.Fprintln(p.Err, "\nsudo: no password was provided\nsudo: a password is required")
			return 1
		case err != nil && given == "":
			fmt.Fprintf(p.Err, "\nsudo: no password was provided\nsudo: %d incorrect password attempt%s\n", n, plural(n))
			return 1
		case given != m.conf.Password || m.conf.Password == "":
			if n+1 < tries {
				fmt.Fprintln(p.Err, "Sorry, try again.")
			}
			continue
		case denied != "":
			fmt.Fprintln(p.Err, denied)
			return 1
		}
		return 0
	}
	fmt.Fprintf(p.Err, "sudo: %d incorrect password attempt%s\n", tries, plural(tries))
	return 1
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// readLine reads a byte at a time: what follows the line belongs to another program.
func readLine(r io.Reader) (string, error) {
	var line []byte
	var one [1]byte
	for len(line) < 1024 {
		n, err := r.Read(one[:])
		if n > 0 {
			if one[0] == '\n' {
				return string(line), nil
			}
			line = append(line, one[0])
		}
		if err != nil {
			return string(line), fmt.Errorf("read the password: %w", err)
		}
	}
	return "", errors.New("the password is too long")
}

// doas takes passwords from a terminal only, and there is none.
func (m *Machine) doas(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.ParseFirst(args, "nu:")
	switch {
	case !ok || len(o.Args) == 0:
		return posix.Usage
	case p.UID != memfs.Root && m.conf.Sudo == "none":
		fmt.Fprintln(p.Err, "doas: Operation not permitted")
		return 1
	case p.UID != memfs.Root && m.conf.Sudo != "nopasswd":
		fmt.Fprintln(p.Err, "doas: Authentication required")
		return 1
	}
	return m.asRoot(ctx, p, o.Args, nil)
}

// su reads root's password from standard input, as PAM does without a terminal.
func (m *Machine) su(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "lc:s:", "command=|c", "login|l", "shell=|s")
	if !ok || !o.Has("c") {
		p.Lacks("su without -c is not simulated")
		return posix.Usage
	}
	if p.UID != memfs.Root {
		fmt.Fprint(p.Err, "Password: ")
		given, err := readLine(p.Stdin())
		if err != nil && given == "" || given != m.conf.Password || m.conf.Password == "" {
			fmt.Fprintln(p.Err, "su: Authentication failure")
			return 1
		}
	}
	child := p.Child()
	child.UID = memfs.Root
	child.Env["HOME"], child.Env["USER"], child.Env["LOGNAME"] = "/root", "root", "root"
	if o.Has("l") {
		child.Env["PATH"], child.Dir = rootPath, "/root"
	}
	var rest []string
	for _, arg := range o.Args {
		if arg != "root" && arg != "-" {
			rest = append(rest, arg)
		}
	}
	return child.Exec(ctx, append([]string{"/bin/sh", "-c", o.Value("c")}, rest...))
}
