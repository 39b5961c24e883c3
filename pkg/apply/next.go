package apply

import (
	"cmp"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
)

// action is what to do after a look.
type action uint8

const (
	finish action = iota
	perform
	wait
	reconnect // then look again
)

// outcome of the last Do.
type outcome uint8

const (
	never    outcome = iota // nothing was done yet
	cut                     // the connection ended before the outcome came, or was not to be had
	refused                 // the host said no, or the command failed
	sent                    // it succeeded, or was expected to end the connection
	prompted                // the device came back to its prompt, and did not say how it went
)

// sighting is what one look gave: a standing, or why there is none.
type sighting struct {
	standing platform.Standing
	err      error
}

// memory is all that a decision depends on besides the look itself.
type memory struct {
	step    platform.Step
	begun   bool    // something of the step is, or may be, under way on the host
	fresh   bool    // a Do has just begun the step: the deadline counts from there
	dos     int     // how often the Do was sent
	last    outcome // of the last Do
	why     string  // why the last Do was refused or cut
	code    fault.Code
	running bool          // a look saw it run
	blind   int           // looks in a row that told nothing
	barred  int           // and of those the last ones that were barred for good, as it seems
	denied  int           // logins that were refused within the grace, all of them
	apart   time.Duration // at least until the next look
	typed   bool          // a device may have got a line that changes it
}

// maxDos: the Do, and once more where the connection was cut and the look proves
// that nothing began.
const maxDos = 2

// next decides. Its standing counts only with finish.
func (m *memory) next(saw sighting, expired bool) (action, platform.Standing) {
	if saw.err != nil {
		return m.afterBlindLook(saw.err, expired)
	}
	switch saw.standing.State {
	case platform.Done:
		return finish, saw.standing
	case platform.Failed:
		return finish, m.failed(saw.standing)
	case platform.Running:
		if expired {
			return finish, late(saw.standing, name(m.step)+" is still running on the host after "+m.step.Deadline.String()+"; it was left alone")
		}
		return wait, platform.Standing{}
	case platform.NotDone:
		return m.afterNotDone(saw.standing, expired)
	case platform.Unknown:
	}
	if m.mayAskAgain(expired) {
		return reconnect, platform.Standing{}
	}
	return finish, m.doubtful(saw.standing)
}

// afterNotDone: the look proves that the step has not begun.
func (m *memory) afterNotDone(saw platform.Standing, expired bool) (action, platform.Standing) {
	switch {
	case m.last == never && m.running:
		return finish, m.doubtful(late(saw, "it was running, and now it is as if it had never begun"))
	case m.last == never, m.last == cut && m.dos < maxDos && !m.typed && !expired:
		return perform, platform.Standing{}
	case m.last == refused:
		return finish, m.failed(saw)
	case !expired:
		return wait, platform.Standing{}
	case m.last == cut:
		return finish, m.doubtful(late(saw, name(m.step)+m.unseen()))
	case m.last == prompted:
		saw.Reasons = append([]string{m.why}, saw.Reasons...)
	}
	saw.State, saw.Code = platform.Failed, cmp.Or(saw.Code, fault.HostFailed)
	return finish, late(saw, name(m.step)+" did not happen within "+m.step.Deadline.String())
}

// unseen says how often what is not seen was sent.
func (m *memory) unseen() string {
	switch {
	case m.typed && m.dos == 0:
		return " was begun by a process that ended, and is not seen on the device; it may have been sent, and was not sent again"
	case m.typed:
		return " was sent, and is not seen on the device; it was not sent again"
	}
	return " was sent twice, and is not seen on the host"
}

// afterBlindLook: the host could not be asked. Where something may be under way
// there, only time will tell. What trying again can't change (a wrong key, a
// changed host key) is tried again once at most, and only where a host may be just
// coming up and not let anybody in yet: nobody's account may be locked.
func (m *memory) afterBlindLook(err error, expired bool) (action, platform.Standing) {
	again := m.blind == 0 || m.step.Look.Reconnects || m.last == cut || m.last == prompted || m.running || m.onlyLooks() && passing(err)
	if final(err) {
		again = m.step.Look.Reconnects && m.barred < m.patience(err)
	}
	if again && !expired {
		return reconnect, platform.Standing{}
	}
	reason := "the host can't be asked: " + explain(err)
	return finish, m.doubtful(platform.Standing{Code: fault.CodeOf(err), Reasons: []string{reason}})
}

func (m *memory) mayAskAgain(expired bool) bool {
	return !expired && (m.blind == 0 || m.step.Look.Reconnects)
}

// A device answers before the directory that knows its users (TACACS, RADIUS) can be asked.
// So after a reload a refused login is "not ready", for a few tries that are far enough
// apart not to lock the account; connect.Grace keeps them from the fleet's breaker. A device
// that is gone in between has restarted once more, and its directory with it: then the tries
// begin anew, but never without an end.
const (
	graceTries = 6
	graceTotal = 12
	graceApart = 30 * time.Second
)

// graceWait is the pause after so many logins in a row that were refused: the last try comes
// 20 minutes after the first.
func graceWait(refusals int) time.Duration {
	switch refusals {
	case 1:
		return graceApart
	case 2:
		return 90 * time.Second
	case 3:
		return 4 * time.Minute
	case 4:
		return 6 * time.Minute
	}
	return 8 * time.Minute
}

// graceful: the step waits for a device to come back.
func (m *memory) graceful() bool {
	return m.step.Look.Reconnects && slices.ContainsFunc(m.step.Look.Do, func(op platform.Operation) bool { return op.Exchange != nil })
}

// patience is how often what is barred may be tried again. A changed host key is never
// waited for: a person decides.
func (m *memory) patience(err error) int {
	switch {
	case fault.CodeOf(err) == fault.HostKeyChanged:
		return 0
	case m.notYet(err) && m.denied >= graceTotal-1:
		return 0
	case m.notYet(err):
		return graceTries - 1
	}
	return 1
}

// notYet: a device on its way back refuses a login, or the rights of its higher level, which
// are asked from the same directory.
func (m *memory) notYet(err error) bool {
	code := fault.CodeOf(err)
	return err != nil && m.graceful() && (code == fault.Auth || code == fault.Privilege)
}

// remember takes in what was seen.
func (m *memory) remember(saw sighting, did action) {
	m.blind++
	if saw.err == nil && saw.standing.State != platform.Unknown {
		m.blind = 0
	}
	m.apart = 0
	switch {
	case m.notYet(saw.err):
		m.barred++
		m.denied++
		m.apart = graceWait(m.barred)
	case final(saw.err):
		m.barred++
	case !m.graceful() || saw.err == nil || fault.CodeOf(saw.err) == fault.Unreachable:
		m.barred = 0
	}
	if saw.err == nil && saw.standing.State == platform.Running {
		m.running, m.begun = true, true
	}
	if did == perform {
		m.fresh = m.dos == 1
		m.begun = m.begun || m.last != refused
	}
}

// onlyLooks: a step that does nothing can be looked at as often as it takes.
func (m *memory) onlyLooks() bool { return len(m.step.Do) == 0 }

// passing tells of a connection that is gone, and may be there again later.
func passing(err error) bool {
	return fault.CodeOf(err) == fault.Lost || fault.KindOf(err) == fault.Retry
}

// final tells that trying again changes nothing.
func final(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.GiveUp || kind == fault.Ask
}
