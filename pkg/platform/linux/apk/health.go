package apk

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// state judges apk's database and the trace of an installation of ours that was cut.
func state(rep linux.Report) (fact.ManagerState, string) {
	broken, cut := rep.Get("broken"), rep.Get("cut")
	switch names := broken.Lines(); {
	case !broken.OK():
		return fact.ManagerUnknown, "apk's database: " + broken.Why()
	case !cut.OK():
		return fact.ManagerUnknown, "the trace of a cut installation: " + cut.Why()
	case len(cut.Lines()) > 0:
		return fact.ManagerInterrupted, "an installation was cut, and its versions stand in /etc/apk/world; before, that was as " + remote.Clean(cut.Lines()[0], 100)
	case len(names) > 0:
		return fact.ManagerBroken, "not wholly installed: " + remote.Clean(strings.Join(names[:min(len(names), 20)], ", "), 300)
	}
	return fact.ManagerOK, ""
}

// trouble is what the preflight finds wrong.
func trouble(rep linux.Report) []string {
	switch state, detail := state(rep); state {
	case fact.ManagerOK:
	case fact.ManagerBroken:
		return []string{detail + "; on the host, type: apk fix"}
	default:
		return []string{detail}
	}
	return nil
}
