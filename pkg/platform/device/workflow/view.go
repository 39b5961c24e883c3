package workflow

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// ask is one command of a look; it only reads.
type ask struct {
	cmd    string
	within time.Duration // 0: as the dialect says
}

// view is what one look found. The device is the same as before, or a part of it.
type view struct {
	facts   fact.Facts
	now     *fact.Device      // of facts
	missing []fact.Member     // those from before that did not answer this time
	out     map[string][]byte // whole answers, by command
	no      map[string]string // commands that the device refused, and its words, cleaned
}

// look asks for the facts, and then for more. The judge sees only looks in which every
// command was answered, or refused, by the same device as before; all else is unknown.
func (t *task) look(judge func(*view) platform.Standing, more ...ask) platform.Look {
	asks := make([]ask, 0, len(t.p.Commands())+len(more))
	for _, cmd := range t.p.Commands() {
		asks = append(asks, ask{cmd: cmd})
	}
	return t.lookAt(append(asks, more...), func(results []remote.Result, asks []ask) platform.Standing {
		v, trouble := t.view(asks, results)
		if trouble != "" {
			return unknown(trouble)
		}
		return judge(v)
	})
}

// lookAlone asks for nothing but what it names; nothing tells that it is the same device.
func (t *task) lookAlone(judge func(*view) platform.Standing, asks ...ask) platform.Look {
	return t.lookAt(asks, func(results []remote.Result, asks []ask) platform.Standing {
		v, trouble := answers(asks, results)
		if trouble != "" {
			return unknown(trouble)
		}
		return judge(v)
	})
}

func (t *task) lookAt(asks []ask, judge func([]remote.Result, []ask) platform.Standing) platform.Look {
	var unique []ask
	for _, a := range asks {
		if a.cmd != "" && !slices.ContainsFunc(unique, func(have ask) bool { return have.cmd == a.cmd }) {
			unique = append(unique, a)
		}
	}
	var ops []platform.Operation
	for _, a := range unique {
		e := t.exchange(a.cmd, remote.Reads)
		e.Within, e.Quiet = a.within, a.within
		ops = append(ops, platform.Operation{Exchange: &e})
	}
	return platform.Look{Do: ops, Judge: func(results []remote.Result) platform.Standing { return judge(results, unique) }}
}

// whole tells that an answer came to its end.
func whole(r remote.Result) bool { return r.Ending == remote.Done && !r.Truncated }

// answers sorts the results by command. Trouble is what makes all of them worth nothing.
func answers(asks []ask, results []remote.Result) (v *view, trouble string) {
	v = &view{out: map[string][]byte{}, no: map[string]string{}}
	if len(results) != len(asks) {
		return nil, "not everything was answered"
	}
	for i, r := range results {
		switch {
		case whole(r):
			v.out[asks[i].cmd] = r.Out
		case r.Ending == remote.Failed || r.Ending == remote.Prompted:
			v.no[asks[i].cmd] = lastLine(r.Out)
		default:
			return nil, "no whole answer to " + clean(asks[i].cmd) + ": " + endingInWords(r)
		}
	}
	return v, ""
}

func endingInWords(r remote.Result) string {
	switch {
	case r.Truncated:
		return "it was cut off"
	case r.Ending == remote.Asked:
		return "it asked " + lastLine(r.Out)
	case r.Ending == remote.Stopped:
		return "a person must look at its console: " + lastLine(r.Out)
	}
	return "the connection ended"
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out[max(len(out)-2000, 0):])), "\n")
	return clean(lines[len(lines)-1])
}

// view reads the facts anew, and refuses what another device has answered.
func (t *task) view(asks []ask, results []remote.Result) (v *view, trouble string) {
	v, trouble = answers(asks, results)
	if trouble != "" {
		return nil, trouble
	}
	facts, err := t.p.Read(v.out, t.seen(results))
	if err != nil || facts.Device == nil {
		return nil, "it does not answer as a " + t.def.Title + " does"
	}
	v.facts, v.now = facts, facts.Device
	if v.missing, trouble = t.identity(v.now); trouble != "" {
		return nil, trouble
	}
	return v, ""
}

// seen is when the answers came. Where nobody knows, the time of the former facts is
// safe: a device then seems to have come up earlier than it did, never later.
func (t *task) seen(results []remote.Result) time.Time {
	at := t.facts.Seen
	for _, r := range results {
		if r.At.After(at) {
			at = r.At
		}
	}
	return at
}

// identity compares the serial numbers: the same set, or a part of it. The members that
// are missing are given.
func (t *task) identity(now *fact.Device) (missing []fact.Member, trouble string) {
	had, have := t.before.Serials(), now.Serials()
	for _, serial := range have {
		if !slices.Contains(had, serial) {
			return nil, "it is not the same device: serial number " + clean(serial) + " was not there before"
		}
	}
	if len(have) == 0 {
		return nil, "its serial numbers can't be read"
	}
	for _, m := range t.units() {
		if !slices.Contains(have, m.Serial) {
			missing = append(missing, m)
		}
	}
	return missing, ""
}

// Standings, with reasons that are clean already.
func done(notes ...string) platform.Standing {
	return platform.Standing{State: platform.Done, Notes: notes}
}

func unknown(reasons ...string) platform.Standing { return platform.Standing{Reasons: reasons} }

func failed(reasons ...string) platform.Standing {
	return platform.Standing{State: platform.Failed, Code: "host_failed", Reasons: reasons}
}

func notDone(reason string) platform.Standing {
	return platform.Standing{State: platform.NotDone, Reasons: []string{reason}, Progress: reason}
}

func running(progress string) platform.Standing {
	return platform.Standing{State: platform.Running, Reasons: []string{progress}, Progress: progress}
}
