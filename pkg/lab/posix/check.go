package posix

import (
	"fmt"
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// Builtins lists the shell's own commands that a script may use, sorted.
func Builtins() []string {
	return []string{
		".", ":", "[", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export", "false", "getopts", "printf",
		"pwd", "read", "readonly", "return", "set", "shift", "test", "times", "trap", "true", "type", "unset", "wait",
	}
}

func builtin(name string) bool { return slices.Contains(Builtins(), name) }

// refused are words that exist in real shells, or in this interpreter alone, and
// that a simulated host must not seem to understand.
func refused(name string) string {
	switch name {
	case "umask":
		return "umask: use mkdir -m or chmod"
	case "source":
		return "source: use ."
	case "jobs", "fg", "bg", "disown":
		return name + ": there is no job control"
	case "[[", "alias", "builtin", "declare", "flock", "kill", "let", "local", "mapfile", "popd", "pushd", "readarray", "shopt", "typeset", "ulimit":
		return name
	}
	return ""
}

// Check says what in a script is outside of the shell subset of simulated hosts,
// with line numbers; nothing if all of it is inside.
func Check(name string, src []byte) []string {
	file, err := parse(Script{Name: name, Source: src})
	if err != nil {
		return []string{err.Error()}
	}
	return check(file)
}

func check(file *syntax.File) []string {
	var found []string
	syntax.Walk(file, func(n syntax.Node) bool {
		if what := outside(n); what != "" {
			found = append(found, fmt.Sprintf("line %d: %s", n.Pos().Line(), what))
		}
		return true
	})
	return found
}

func outside(n syntax.Node) string {
	switch n := n.(type) {
	case *syntax.Redirect:
		if n.Op == syntax.DplOut && !slices.Contains([]string{"1", "2", "-"}, n.Word.Lit()) || n.Op == syntax.DplIn && n.Word.Lit() != "-" {
			return "file descriptor " + n.Word.Lit()
		}
		if n.N != nil && !slices.Contains([]string{"0", "1", "2"}, n.N.Value) {
			return "file descriptor " + n.N.Value
		}
	case *syntax.CallExpr:
		return outsideCall(n)
	}
	return ""
}

func outsideCall(n *syntax.CallExpr) string {
	if len(n.Args) == 0 {
		return ""
	}
	name := n.Args[0].Lit()
	if why := refused(name); why != "" {
		return why
	}
	if name == "set" && len(n.Args) > 1 && n.Args[1].Lit() == "-C" {
		return "set -C"
	}
	return ""
}
