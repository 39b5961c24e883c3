package report

import (
	"fmt"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// Next is what to type next, or "" where nothing is left to do. What stands in it
// from outside is quoted for a shell.
func Next(s Source) string {
	st := s.Status
	run := "patchring run PLAYBOOK"
	if s.Path != "" {
		run = command("run", s.Path)
	}
	switch st.Phase {
	case rollout.PhaseNone:
		return "patchring plan PLAYBOOK"
	case rollout.PhasePaused:
		return command("resume", st.Rollout)
	case rollout.PhaseHalted:
		return fmt.Sprintf("%s shows why; when it is put right: %s, then %s",
			command("report", st.Rollout), command("abort", st.Rollout), run)
	case rollout.PhaseOpen:
		return run
	}
	switch Exit(s).Code {
	case ExitDone:
		return ""
	case ExitSecurityLeft, ExitNeedsPerson:
		return command("report", st.Rollout)
	}
	return fmt.Sprintf("%s shows why; when it is put right: %s", command("report", st.Rollout), run)
}

func command(verb, object string) string {
	return "patchring " + remote.Quote([]string{verb, clean(object)})
}
