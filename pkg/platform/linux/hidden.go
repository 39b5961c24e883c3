package linux

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed hidden.sh
var hiddenScript string

// Read is one path that a probe reads, and what can't be known without it.
type Read struct {
	What  Unknown
	Paths []string // files and folders; of a folder, all that lies in it
}

// Unknown names what stays unknown where something can't be read.
type Unknown string

// What a probe learns from files that an admin may close to others than root.
const (
	UnknownUpdates  Unknown = "updates"  // repositories, their lists, pins
	UnknownHolds    Unknown = "holds"    // what may not change
	UnknownManager  Unknown = "manager"  // whether its database is in order
	UnknownLock     Unknown = "lock"     // whether it is at work
	UnknownSettings Unknown = "settings" // what it was told beside
	unknownMark     Unknown = "appliance"
	unknownKept     Unknown = "kept"
)

// whatIsLost says in words what an Unknown means.
func whatIsLost() map[Unknown]string {
	return map[Unknown]string{
		UnknownUpdates:  "updates may be missing here",
		UnknownHolds:    "what is held may be missing here",
		UnknownManager:  "whether the package manager is in order is not known",
		UnknownLock:     "whether the package manager is at work is not known",
		UnknownSettings: "what the package manager is told there is not known",
		unknownMark:     "whether this is an appliance is not known",
		unknownKept:     "which package files are kept here is not known",
	}
}

// readsText defines the shell function that tells what the probe of a manager reads.
func (all Managers) readsText() string {
	var b strings.Builder
	b.WriteString("reads() {\n\tcase $1 in\n")
	for _, m := range all {
		if len(m.Reads) == 0 {
			continue
		}
		b.WriteString("\t" + m.Name + ")\n\t\tprintf '%s\\n'")
		for _, read := range m.Reads {
			for _, path := range read.Paths {
				b.WriteString(" \\\n\t\t\t'" + string(read.What) + " " + path + "'")
			}
		}
		b.WriteString("\n\t\t;;\n")
	}
	b.WriteString("\tesac\n}\n")
	return b.String()
}

// hidden notes what this user could not read: one problem for each thing that is not known
// because of it. It comes last, since it takes back what looked well.
func (r *Reader) hidden() {
	s := r.Report.Get("hidden")
	if r.isRoot {
		return
	}
	if s.Status < 0 {
		r.Problem("hidden", "what this user may not read was not told whole: %s", s.Why())
	}
	lost := readHidden(s)
	for _, what := range []Unknown{UnknownUpdates, UnknownHolds, UnknownManager, UnknownLock, UnknownSettings, unknownMark, unknownKept} {
		if paths := lost[what]; len(paths) > 0 {
			r.Problem(string(what), "without root %s can't be read%s: %s", paths[0], andMore(len(paths)-1), whatIsLost()[what])
		}
	}
	// A lock that was seen is one, whatever else is hidden.
	if len(lost[UnknownManager])+len(lost[UnknownLock]) > 0 && r.Facts.Manager.State != fact.ManagerLocked {
		r.Facts.Manager.State, r.Facts.Manager.Detail = fact.ManagerUnknown, "looked without root"
	}
}

// readHidden gives the paths of each thing, each once, cleaned.
func readHidden(s Section) map[Unknown][]string {
	lost := map[Unknown][]string{}
	for _, line := range s.Lines() {
		what, path, _ := strings.Cut(line, " ")
		path = remote.Clean(path, 200)
		if _, known := whatIsLost()[Unknown(what)]; known && path != "" && !slices.Contains(lost[Unknown(what)], path) {
			lost[Unknown(what)] = append(lost[Unknown(what)], path)
		}
	}
	return lost
}

func andMore(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " (and one more path)"
	}
	return " (and more paths)"
}
