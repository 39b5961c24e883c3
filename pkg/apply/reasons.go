package apply

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

func unknown(reasons ...string) platform.Standing {
	return platform.Standing{State: platform.Unknown, Reasons: reasons}
}

// late puts a reason before those of the judge. A step that runs or has not begun
// at its deadline is Unknown unless the caller says otherwise.
func late(s platform.Standing, reason string) platform.Standing {
	if s.State != platform.Failed {
		s.State = platform.Unknown
	}
	s.Reasons = append([]string{reason}, s.Reasons...)
	return s
}

// failed is the judge's verdict with what the Do itself had to say.
func (m *memory) failed(s platform.Standing) platform.Standing {
	s.State = platform.Failed
	if m.last == refused {
		s.Reasons = append([]string{m.why}, s.Reasons...)
		s.Code = cmp.Or(s.Code, m.code)
	}
	s.Code = cmp.Or(s.Code, fault.HostFailed)
	if len(s.Reasons) == 0 {
		s.Reasons = []string{name(m.step) + " failed"}
	}
	return s
}

// doubtful is Unknown with what the Do itself had to say, and whether the host may
// have been touched.
func (m *memory) doubtful(s platform.Standing) platform.Standing {
	s.State = platform.Unknown
	switch m.last {
	case refused, cut, prompted:
		s.Reasons = append(s.Reasons, m.why)
		s.Code = cmp.Or(s.Code, m.code)
	case never:
		if !m.running && !m.onlyLooks() { // what it waits for was started before
			s.Reasons = append(s.Reasons, name(m.step)+" was not started by this run")
		}
	case sent:
	}
	return s
}

// name is what a person calls the step.
func name(s platform.Step) string {
	if s.Title != "" {
		return strconv.Quote(s.Title)
	}
	return strconv.Quote(string(s.ID))
}

const textBytes = 500

func clean(text string) string { return remote.Clean(text, textBytes) }

// said is what a failed operation tells a person.
func said(r remote.Result) string {
	text := r.Err
	if len(text) == 0 {
		text = r.Out
	}
	// The end of what was printed says why; the beginning what was tried.
	tail := string(text[max(0, len(text)-textBytes):])
	words := clean(tail)
	status := ""
	switch r.Ending {
	case remote.Exited:
		status = "exit status " + strconv.Itoa(r.Code)
	case remote.Signaled:
		status = "ended by a signal"
	case remote.Asked:
		return "the device asked " + strconv.Quote(clean(lastLine(tail))) + ", which was not expected; nothing was answered"
	case remote.Prompted:
		status = "the device came back to its prompt and did not say how it went"
	case remote.Stopped:
		status = "a person must look at the device"
	case remote.Failed:
		status = "the device said no"
	case remote.Done:
		status = "done"
	case remote.Lost:
		status = "the connection ended"
	}
	if words == "" {
		return status
	}
	return status + ": " + words
}

// lastLine is the question that stands at the end of what was printed.
func lastLine(text string) string {
	text = strings.TrimRight(text, " \t\r\n")
	return strings.TrimSpace(text[strings.LastIndexAny(text, "\r\n")+1:])
}
