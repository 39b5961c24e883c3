package job

import (
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// State is how a job stands. The zero value is the worst.
type State uint8

const (
	Unknown     State = iota // could not tell
	Absent                   // there is no such job on the host: nothing ran
	Claimed                  // the folder is there, but the command has not begun: Start may be repeated
	Running                  // the command runs
	Exited                   // it ended by itself; Code is its exit status
	Interrupted              // it began, is gone, and left no exit status; it must not be started again
	Revoked                  // it had not begun in time and was called off: nothing ran, nor ever will
	TimedOut                 // its time was over, and it was ended
)

var stateNames = [...]string{"unknown", "absent", "claimed", "running", "exited", "interrupted", "revoked", "timed_out"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[0]
}

// Status is what one look learned. All text is cleaned.
type Status struct {
	State  State
	Code   int      // of Exited: 0 to 255
	BootID string   // of the host, now
	Reason string   // of Unknown, Interrupted and Revoked: why
	Log    []string // the last lines that the command printed
}

// Last is the last line of the log, or "".
func (s Status) Last() string {
	if len(s.Log) == 0 {
		return ""
	}
	return s.Log[len(s.Log)-1]
}

const (
	banner    = "patchring-job 1"
	logMark   = "log"
	logLines  = 40
	lineBytes = 300
)

// Read turns the result of Look's command into a Status. Whatever it does not
// understand is Unknown, with the reason.
func Read(r remote.Result) Status {
	if !r.OK() {
		return Status{Reason: "the host did not say how the job stands: " + ending(r)}
	}
	_, text, found := strings.Cut("\n"+string(r.Out), "\n"+banner+"\n")
	if !found {
		return Status{Reason: "the host did not say how the job stands: " + remote.Clean(string(r.Out), lineBytes)}
	}
	return readFields(text)
}

func ending(r remote.Result) string {
	said := remote.Clean(string(r.Err), lineBytes)
	switch {
	case r.Truncated:
		return "it printed too much"
	case r.Ending != remote.Exited:
		return "the connection ended"
	case said == "":
		return "exit status " + strconv.Itoa(r.Code)
	}
	return said
}

// readFields reads the "name value" lines up to the log; the rest is the log.
func readFields(text string) Status {
	fields := map[string]string{}
	for {
		line, rest, more := strings.Cut(text, "\n")
		if !more {
			return Status{Reason: "the host's answer was cut off"}
		}
		text = rest
		if line == logMark {
			break
		}
		name, value, _ := strings.Cut(line, " ")
		fields[name] = value
	}
	return judge(fields, text)
}

func judge(fields map[string]string, log string) Status {
	s := Status{
		BootID: remote.Clean(fields["boot"], 64),
		Reason: remote.Clean(fields["why"], lineBytes),
		Log:    readLog(log),
	}
	for i, name := range stateNames {
		if fields["state"] == name {
			s.State = State(i)
		}
	}
	if s.State == Exited {
		return exitStatus(s, fields["code"])
	}
	if s.State == Unknown && s.Reason == "" {
		s.Reason = "the host said: " + remote.Clean(fields["state"], 40)
	}
	return s
}

func exitStatus(s Status, text string) Status {
	code, err := strconv.Atoi(text)
	if err != nil || code < 0 || code > 255 {
		s.State, s.Reason = Unknown, "the exit status can't be read: "+remote.Clean(text, 40)
		return s
	}
	s.Code = code
	return s
}

// readLog keeps the last lines; of a line that was drawn over with carriage
// returns (progress bars), what was drawn last.
func readLog(text string) []string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		lines.WriteString(line + "\n")
	}
	return remote.CleanLines(lines.String(), logLines, lineBytes)
}
