package hook

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
)

const (
	askOnHost  = 20 * time.Second // one exec goes on asking for so long
	answerMost = time.Minute      // and one answer of a command takes at most so long
	waitOut    = 16 << 10
)

//go:embed ask.sh
var askScript string

//go:embed idle.sh
var idleScript string

func waitStep(r Run, w playbook.Wait) (platform.Step, error) {
	step := platform.Step{ID: r.Step, On: r.On, Deadline: w.Within}
	if w.Within <= 0 {
		return step, fmt.Errorf("hook %s: nothing says how long to wait", r.called())
	}
	if w.Idle == (len(w.Argv) > 0) {
		return step, fmt.Errorf("hook %s: it waits for a command or for an idle host, one of them", r.called())
	}
	command, judge := askIdle(w), judgeIdle
	step.Title = "wait until " + r.On.Name + " is idle"
	if !w.Idle {
		if err := checkWords(w.Argv, r.Env); err != nil {
			return step, fmt.Errorf("hook %s: %w", r.called(), err)
		}
		command, judge = askCommand(r, w), judgeAnswer
		step.Title = "wait until " + (Run{Argv: w.Argv}).called() + " says yes"
	}
	step.Look = platform.Look{Do: []platform.Operation{{Command: &command}}, Judge: judge}
	return step, nil
}

// seconds of a duration, but at least one.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }

// askCommand is marked as reading: that is the promise of the playbook's author.
func askCommand(r Run, w playbook.Wait) remote.Command {
	argv := []string{"sh", "-s", "--", seconds(min(w.Within, askOnHost)), seconds(min(w.Within, answerMost)), "env"}
	return remote.Command{
		Argv: slices.Concat(argv, r.Env, w.Argv), Stdin: []byte(askScript),
		Become: r.Place.AsRoot(), Effect: remote.Reads, MaxOut: waitOut,
	}
}

// askIdle needs no root, and must not ask for it: what sudo starts is not told which
// connection is ours.
func askIdle(w playbook.Wait) remote.Command {
	return remote.Command{
		Argv:  []string{"sh", "-s", "--", seconds(min(w.Within, askOnHost))},
		Stdin: []byte(idleScript), Effect: remote.Reads, MaxOut: waitOut,
	}
}

func judgeAnswer(results []remote.Result) platform.Standing {
	text, err := answer(results, "patchring-ask 1")
	if err != nil {
		return platform.Standing{Reasons: []string{err.Error()}}
	}
	return readAnswer(text)
}

// readAnswer reads what the command printed, and its exit status as the last line.
func readAnswer(text string) platform.Standing {
	text = strings.TrimSuffix(text, "\n")
	said, status := "", text
	if at := strings.LastIndexByte(text, '\n'); at >= 0 {
		said, status = text[:at], text[at+1:]
	}
	code, err := strconv.Atoi(status)
	if err != nil || code < 0 || code > 255 {
		return platform.Standing{Reasons: []string{"the answer was cut off: " + remote.Clean(status, saidBytes)}}
	}
	if code == 0 {
		return platform.Standing{State: platform.Done}
	}
	reasons := append([]string{"exit status " + status}, remote.CleanLines(said, toldLines, saidBytes)...)
	return platform.Standing{State: platform.NotDone, Reasons: reasons, Progress: strings.Join(reasons[max(0, len(reasons)-1):], "")}
}

func judgeIdle(results []remote.Result) platform.Standing {
	text, err := answer(results, "patchring-idle 1")
	if err != nil {
		return platform.Standing{Reasons: []string{err.Error()}}
	}
	return readIdle(text)
}

// readIdle reads "idle", "busy COUNT PORT" or "unknown WHY"; anything else is unknown.
func readIdle(text string) platform.Standing {
	word, rest, _ := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
	count, port, _ := strings.Cut(rest, " ")
	n, errCount := strconv.Atoi(count)
	p, errPort := strconv.ParseUint(port, 16, 16)
	switch {
	case word == "idle" && rest == "":
		return platform.Standing{State: platform.Done}
	case word == "busy" && errCount == nil && errPort == nil && n > 0:
		seen := fmt.Sprintf("%d connections, the last seen to port %d", n, p)
		return platform.Standing{State: platform.NotDone, Reasons: []string{seen}, Progress: seen}
	case word == "unknown": // it will not become known by waiting: the host is put back, untouched
		return platform.Standing{State: platform.Failed, Code: fault.HostFailed, Reasons: []string{"whether the host is idle can't be told: " + remote.Clean(rest, saidBytes)}}
	}
	return platform.Standing{Reasons: []string{"whether the host is idle can't be told: it said " + remote.Clean(text, saidBytes)}}
}

const saidBytes = 300

// answer gives what follows the banner, which no login's greeting precedes in vain.
func answer(results []remote.Result, banner string) (string, error) {
	if len(results) != 1 {
		return "", errors.New("nobody was asked")
	}
	r := results[0]
	if !r.OK() {
		return "", fmt.Errorf("the question was not answered: %s", remote.Clean(string(r.Err), saidBytes))
	}
	_, text, found := strings.Cut("\n"+string(r.Out), "\n"+banner+"\n")
	if !found {
		return "", fmt.Errorf("the answer can't be read: %s", remote.Clean(string(r.Out), saidBytes))
	}
	return text, nil
}
