package report

// Outranks tells whether exit code a stands before b in the table of exit codes.
func Outranks(a, b int) bool { return rank(a) < rank(b) }

// Stopped is the ending of a run that a person stopped; what was wrong before stays said.
func Stopped(end Ending) Ending {
	why := "stopped; the same command carries on"
	if end.Code != ExitDone {
		why += "; " + end.Why
	}
	return ending([]claim{{ExitInterrupted, why}}, "")
}
