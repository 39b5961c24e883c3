package health

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed health.sh
var script string

// Bounds of what one section may print, and of one exec. A list that fills its
// section was cut off, and is not known.
const (
	answerBytes = 8 << 10
	listBytes   = 512 << 10
	roundBytes  = 4 << 20
)

// askWithin bounds one question on the host; a command may take all of its check's
// time.
const askWithin = 10 * time.Second

// Round is what one exec asks of one host: all the checks that the host itself
// answers with the same rights, and the snapshot.
type Round struct {
	Nonce    string // letters and digits, made up for this one exec
	Checks   []Check
	Vars     Vars
	Snapshot bool
	Become   bool // as root: for the checks that want it
}

// OnHost tells whether the host itself answers the check; else the controller does.
func (c Check) OnHost() bool {
	switch {
	case c.TCP != nil:
		return c.TCP.From != FromController
	case c.HTTP != nil:
		return c.HTTP.From != FromController
	}
	return true
}

// AsRoot tells whether the check wants root: folders with configuration may be closed
// to others.
func (c Check) AsRoot() bool {
	return c.Command != nil && c.Command.Become || c.Conffiles != nil
}

// Command is the round as one command. It is marked as reading: that a command
// check changes nothing is the promise of the playbook's author. A check that can't
// be asked as meant is left out; Answers says why.
func (r Round) Command() remote.Command {
	var in strings.Builder
	in.WriteString(r.Nonce + "\n")
	for i, c := range r.Checks {
		if filled, err := c.Fill(r.Vars); err == nil {
			section(&in, strconv.Itoa(i), answerBytes, r.words(filled)...)
		}
	}
	if r.Snapshot || r.wantsDiff() {
		for _, s := range snapshotSections() {
			section(&in, s.name, listBytes, s.function)
		}
	}
	in.WriteString("end\n")
	return remote.Command{
		Argv:   []string{"sh", "-c", script, "patchring-health"},
		Stdin:  []byte(in.String()),
		Effect: remote.Reads, Become: r.Become, MaxOut: roundBytes,
	}
}

func (r Round) wantsDiff() bool {
	for _, c := range r.Checks {
		if c.DefaultDiff {
			return true
		}
	}
	return false
}

// Longest is how long the host may take to answer all of it, one after the other.
func (r Round) Longest() time.Duration {
	const around = 30 * time.Second // the snapshot, and a slow start of the script
	longest := around
	for _, c := range r.Checks {
		switch {
		case c.Command != nil:
			longest += c.Patience()
		case c.HTTP != nil:
			longest += 2 * min(c.Patience(), askWithin) // a wanted text is a second request
		default:
			longest += min(c.Patience(), askWithin)
		}
	}
	return longest
}

// section asks for one section; no words, no question.
func section(in *strings.Builder, name string, bytes int, words ...string) {
	if len(words) == 0 {
		return
	}
	in.WriteString(remote.Line("arg", strconv.Itoa(bytes)))
	for _, w := range words {
		in.WriteString(remote.Line("arg", w))
	}
	in.WriteString(remote.Line("do", name))
}

// words are the function of the script that answers the check, with its arguments.
func (r Round) words(c Check) []string {
	switch {
	case c.Service != "":
		return []string{"check_service", c.Service}
	case c.TCP != nil:
		host, port, _ := c.TCP.HostPort() // Fill has looked
		if r.Vars.isSelf(host) {
			return []string{"check_listens", strconv.Itoa(port), fmt.Sprintf("%04X", port)}
		}
		return []string{"check_connect", seconds(c, askWithin), host, strconv.Itoa(port)}
	case c.HTTP != nil:
		return []string{"check_http", seconds(c, askWithin), c.HTTP.URL, c.HTTP.Contains}
	case c.Command != nil:
		return append([]string{"check_command", seconds(c, c.Patience())}, c.Command.Argv...)
	case c.Disk != nil:
		return []string{"check_disk", c.Disk.Path}
	case c.Load != nil:
		return []string{"check_load"}
	case c.Conffiles != nil:
		return append([]string{"check_conffiles", seconds(c, askWithin)}, c.Conffiles.words()...)
	}
	return nil
}

// seconds is what the question may take: the check's own time, at most limit.
func seconds(c Check, limit time.Duration) string {
	return strconv.Itoa(max(1, int(min(c.Patience(), limit)/time.Second)))
}

// Patience is how long the check is asked again.
func (c Check) Patience() time.Duration {
	if c.Within <= 0 {
		return DefaultWithin
	}
	return c.Within
}

// isSelf tells whether an address means the host that is asked: then its table of
// listening sockets answers, with no tool that may be missing.
func (v Vars) isSelf(host string) bool {
	return host == "" || host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.") || host == v.Address
}

// Answers is what a round gave.
type Answers struct {
	Results  []Result // of Round.Checks, in their order; a DefaultDiff's is Unknown until Diff was asked
	Snapshot fact.Snapshot
}

// Read judges what the round's command printed. What was not answered is Unknown,
// with the reason.
func (r Round) Read(result remote.Result, seen time.Time) Answers {
	frames, err := r.frames(result)
	answers := Answers{Snapshot: readSnapshot(frames, err, seen)}
	for i, c := range r.Checks {
		answer := Result{Check: CheckName(c)}
		filled, bad := c.Fill(r.Vars)
		frame, asked := frames[strconv.Itoa(i)]
		switch {
		case bad != nil:
			answer.Seen = bad.Error()
		case err != nil:
			answer.Seen = err.Error()
		case asked:
			answer.Verdict, answer.Seen = judge(filled, r.Vars, frame)
		case !c.DefaultDiff:
			answer.Seen = "the host did not answer"
		}
		answers.Results = append(answers.Results, answer)
	}
	return answers
}

func (r Round) frames(result remote.Result) (map[string]remote.Frame, error) {
	switch {
	case result.Ending != remote.Exited:
		return nil, errors.New("the connection ended before the answer")
	case result.Truncated:
		return nil, errors.New("the host printed too much")
	}
	list, err := remote.Frames(result.Out, r.Nonce)
	if err != nil {
		return nil, fmt.Errorf("the answer can't be read: %w; %s", err, clean(result.Err))
	}
	frames := map[string]remote.Frame{}
	for _, f := range list {
		frames[f.Name] = f
	}
	return frames, nil
}

const seenBytes = 300

func clean(text []byte) string {
	// The end says why, e.g. the last line of a failing command.
	return remote.Clean(string(text[max(0, len(text)-seenBytes):]), seenBytes)
}
