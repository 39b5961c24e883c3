package linux

import (
	_ "embed"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed health.sh
var healthScript string

// cutShort tells of a package manager whose transaction somebody's crash has cut.
func cutShort(f fact.Facts) bool {
	return f.Manager.State == fact.ManagerInterrupted || f.Manager.State == fact.ManagerBroken
}

// repair is the step that puts a cut transaction right, where that was found and the
// playbook allows it.
func (m Manager) repair(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	if !w.Repair || !cutShort(f) {
		return nil, nil
	}
	spec := m.job(f, w, "repair")
	start, err := job.Start(spec)
	if err != nil {
		return nil, Refuse(f, "", "%v", err)
	}
	status, health := job.Look(spec.ID, lookWait), m.looks("repair "+w.ID, f, w, healthScript)
	return []platform.Step{{
		ID: "repair", On: f.Host, Title: "repair the package manager", Deadline: time.Hour, Changes: true, Rest: true,
		Do: []platform.Operation{{Command: &start}},
		Look: platform.Look{
			Do:    []platform.Operation{{Command: &status}, {Command: &health}},
			Judge: m.judgeRepair,
		},
	}}, nil
}

// judgeRepair: the job's exit status alone proves nothing; its state of health does.
func (m Manager) judgeRepair(results []remote.Result) platform.Standing {
	if len(results) != 2 {
		return platform.Standing{Reasons: []string{"the host was not asked"}}
	}
	status := job.Read(results[0])
	switch status.State {
	case job.Running:
		return platform.Standing{State: platform.Running, Progress: status.Last()}
	case job.Unknown:
		return platform.Standing{Reasons: []string{status.Reason}}
	case job.Absent, job.Claimed, job.Exited, job.Interrupted, job.Revoked:
	}
	rep, trouble := WholeReport(results)
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	return repaired(status, m.ailments(rep), m.Health != nil)
}

// ailments are what is wrong with the package manager, in words.
func (m Manager) ailments(rep Report) []string {
	if m.Health == nil {
		return nil
	}
	return m.Health(rep)
}

func repaired(status job.Status, wrong []string, tells bool) platform.Standing {
	switch {
	case status.State == job.Interrupted:
		return platform.Standing{Reasons: append([]string{"the repair was cut: " + status.Reason}, wrong...)}
	case status.State == job.Revoked:
		return failed(status, "the repair did not begin: "+status.Reason)
	case status.State == job.Exited && (len(wrong) > 0 || status.Code != 0):
		bad := failed(status, "the repair failed")
		bad.Reasons, bad.Notes = append(bad.Reasons, wrong...), remarksIn(status.Log)
		return bad
	case status.State == job.Exited:
		notes := append([]string{"the package manager was repaired"}, remarksIn(status.Log)...)
		return platform.Standing{State: platform.Done, Notes: notes}
	case len(wrong) == 0 && tells:
		return platform.Standing{State: platform.Done, Notes: []string{"the package manager is in order: there was nothing to repair"}}
	}
	return platform.Standing{State: platform.NotDone, Reasons: wrong}
}
