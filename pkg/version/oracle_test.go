package version

import (
	"bufio"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// oracle is the scheme's own tool, kept running: it is asked a line at a time, as one
// process a question is slow.
type oracle struct {
	command []string
	// question makes the line of two versions; nil puts a tab between them.
	question func(a, b string) string

	in  io.WriteCloser
	out *bufio.Scanner
}

// start runs the tool; the reason is why it cannot be asked.
func (o *oracle) start(tb testing.TB) (reason error) {
	tb.Helper()
	for _, needed := range []string{o.command[0], o.tool()} {
		if _, err := exec.LookPath(needed); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(tb.Context(), o.command[0], o.command[1:]...)
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // tools end with odd codes; what they say is checked
	})
	o.in, o.out = in, bufio.NewScanner(out)
	if order, ok := o.ask("1", "2"); !ok || order != -1 {
		return errors.New(o.tool() + " does not answer here")
	}
	return nil
}

// tool is the program behind a script of testdata, or the command itself.
func (o *oracle) tool() string {
	if o.command[0] != "sh" {
		return o.command[0]
	}
	if len(o.command) > 2 {
		return o.command[2]
	}
	return strings.TrimSuffix(strings.TrimPrefix(o.command[1], "testdata/"), ".sh")
}

// ask is not ok where the tool refuses to compare the two.
func (o *oracle) ask(a, b string) (order int, ok bool) {
	line := a + "\t" + b
	if o.question != nil {
		line = o.question(a, b)
	}
	if _, err := io.WriteString(o.in, line+"\n"); err != nil {
		return 0, false
	}
	for o.out.Scan() {
		switch o.out.Text() {
		case "-1", "<", "lt":
			return -1, true
		case "0", "=", "eq":
			return 0, true
		case "1", ">", "gt":
			return 1, true
		}
		if !strings.HasPrefix(o.out.Text(), "zypper>") { // which echoes the question
			return 0, false
		}
	}
	return 0, false
}

// need skips where the tool is not there.
func (o *oracle) need(tb testing.TB) {
	tb.Helper()
	if err := o.start(tb); err != nil {
		tb.Skipf("no oracle of this ordering: %v", err)
	}
}
