package dnf

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// A transaction that was cut leaves packages in two versions, or packages whose
// dependencies never came. What is in order though a transaction was cut is in order.

// health says what of a half-done transaction is left on the host.
func health(rep linux.Report) []string {
	state, detail := wholeness(rep)
	if state == fact.ManagerOK {
		return nil
	}
	return []string{detail}
}

// wholeness judges the sections of dnf_whole.
func wholeness(rep linux.Report) (fact.ManagerState, string) {
	check := rep.Get("check")
	found := remote.CleanLines(check.Out, 3, 200)
	cut := cutTransaction(rep.Get("last").Out)
	switch {
	case check.OK():
		return fact.ManagerOK, ""
	case check.Status != 1 || len(found) == 0:
		return fact.ManagerUnknown, "dnf check: " + check.Why()
	case cut:
		return fact.ManagerInterrupted, fmt.Sprintf("the last transaction of dnf was cut: %s", strings.Join(found, " | "))
	}
	return fact.ManagerInterrupted, "a transaction was cut: " + strings.Join(found, " | ")
}

// cutTransaction tells from `dnf history info last` whether it never came to its end: dnf 4
// then knows no package database after it, dnf 5 says that it has started.
func cutTransaction(text string) bool {
	for line := range strings.Lines(text) {
		f := strings.Join(strings.Fields(line), " ")
		if f == "End rpmdb : **" || strings.HasPrefix(f, "Return-Code : Aborted") || strings.HasPrefix(f, "Status : Started") {
			return true
		}
	}
	return false
}
