package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// elevationWait bounds each stage before the command begins: sudo may have to ask a
// directory, and waits seconds after a wrong password.
const elevationWait = 60 * time.Second

// elevation gives one sudo or su its password, and the command its input, each to
// whom it belongs: the password only after the prompt, the input only once the
// command itself has begun.
type elevation struct {
	breaker  *breaker
	ctx      context.Context //nolint:containedctx // of the one command that it serves
	how      inventory.Become
	user     string
	host     string
	password secret.Secret
	cred     credential
	news     chan stage // each stage as it is reached; closed at the end of stderr

	mu     sync.Mutex
	stages *stages
	report func(outcome) // nil: no try is open
	cause  error         // what stopped it, if not the tool itself
}

// filter passes the command's own stderr on to w.
func (e *elevation) filter(w io.Writer) io.Writer { return elevationWriter{e, w} }

type elevationWriter struct {
	e *elevation
	w io.Writer
}

func (w elevationWriter) Write(p []byte) (int, error) {
	w.e.mu.Lock()
	before := w.e.stages.at
	rest := w.e.stages.feed(p)
	after := w.e.stages.at
	w.e.mu.Unlock()
	if before != after {
		w.e.news <- after // has room for every stage
	}
	if len(rest) > 0 {
		_, _ = w.w.Write(rest)
	}
	return len(p), nil
}

// ended is told when stderr is at its end: no stage follows.
func (e *elevation) ended() { close(e.news) }

// serve is standard input's side; it always ends the input.
func (e *elevation) serve(ch ssh.Channel, stdin io.Reader) {
	defer func() { _ = ch.CloseWrite() }()
	timer := time.NewTimer(elevationWait)
	defer timer.Stop()
	for {
		select {
		case at, ok := <-e.news:
			if !ok || !e.reached(ch, at, stdin) {
				return
			}
			timer.Reset(elevationWait)
		case <-timer.C:
			e.stop(ch, errors.New("it neither asked for the password nor ran the command within "+elevationWait.String()))
			return
		}
	}
}

// reached acts on a stage; false when nothing is left to do.
func (e *elevation) reached(ch ssh.Channel, at stage, stdin io.Reader) bool {
	switch at {
	case stageAsked:
		return e.give(ch)
	case stageBegun:
		e.tell(accepted)
		if stdin != nil {
			_, _ = io.Copy(ch, stdin)
		}
	case stageAgain:
		e.tell(rejected)
		e.stop(ch, nil)
	case stageWaiting:
	}
	return false
}

// give sends the password, if the breaker lets it.
func (e *elevation) give(ch ssh.Channel) bool {
	report, err := e.breaker.try(e.ctx, e.cred, e.host)
	if err != nil {
		e.stop(ch, err)
		return false
	}
	e.mu.Lock()
	e.report = report
	e.mu.Unlock()
	_, err = io.WriteString(ch, e.password.Reveal()+"\n")
	return err == nil
}

// tell reports the open try, if there is one.
func (e *elevation) tell(o outcome) {
	e.mu.Lock()
	report := e.report
	e.report = nil
	e.mu.Unlock()
	if report != nil {
		report(o)
	}
}

func (e *elevation) stop(ch ssh.Channel, why error) {
	e.mu.Lock()
	e.cause = why
	e.mu.Unlock()
	_ = ch.Close()
}

// settle closes a try that no stage decided. A tool that took the password and then
// refused the user has found it right.
func (e *elevation) settle(exited bool) {
	switch {
	case !exited:
		e.tell(unclear)
	case strings.Contains(e.said(), "sudoers") || strings.Contains(e.said(), "not allowed") || strings.Contains(e.said(), "may not run"):
		e.tell(accepted)
	default:
		e.tell(rejected)
	}
}

// said is what the tool printed before the command began, without the password,
// which a hostile host might echo.
func (e *elevation) said() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := string(e.stages.head)
	if value := e.password.Reveal(); value != "" {
		text = strings.ReplaceAll(text, value, "[secret]")
	}
	lines := remote.CleanLines(text, 3, peerText)
	return strings.Join(lines, "; ")
}

// verdict is why the command never began; nil when it did, or when that is unknown.
func (e *elevation) verdict(exited bool) error {
	e.mu.Lock()
	at, cause := e.stages.at, e.cause
	e.mu.Unlock()
	tool := string(e.how)
	switch {
	case at == stageBegun:
		return nil
	case errors.As(cause, new(*fault.Error)):
		return fault.On(cause, e.host, stepPrivilege)
	case cause != nil:
		return privilegeFault(fmt.Sprintf("%s: %v", tool, cause), "try it by hand on the host: "+tool)
	case at == stageAgain:
		return privilegeFault(tool+" refused the password", hintWrong)
	case !exited:
		return nil
	}
	said := e.said()
	if missing(tool, said) {
		return privilegeFault(tool+" is not installed", hintInstall)
	}
	return explainDenial(tool, e.user, strings.TrimPrefix(said, tool+": "))
}
