package linux

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed after.sh
var afterScript string

// lookWait is how long a look at a job waits on the host for its end.
const lookWait = 20 * time.Second

// jobID makes a job's name from the work's; a long one is shortened by its digest.
func jobID(w patch.Work, step string) string {
	id := w.ID + "-" + step
	if len(id) > 64 {
		id = w.ID[:40] + "-" + patch.DigestOf([]byte(w.ID)).Short() + "-" + step
	}
	return id
}

// transactionSteps are stage and install: two detached jobs.
func (s scheme) transactionSteps(f fact.Facts, w patch.Work, stage, install []string, env []string) ([]platform.Step, error) {
	staging := job.Spec{ID: jobID(w, "stage"), Argv: stage, Env: env}
	installing := job.Spec{ID: jobID(w, "install"), Argv: install, Env: env, Inhibit: true}
	startStage, err := job.Start(staging)
	if err != nil {
		return nil, refuse(f, "", "%v", err)
	}
	startInstall, err := job.Start(installing)
	if err != nil {
		return nil, refuse(f, "", "%v", err)
	}
	count := fmt.Sprintf("%d update%s", len(w.Install), plural(len(w.Install)))
	lookStage := job.Look(staging.ID, lookWait)
	return []platform.Step{
		{
			ID: "stage", On: f.Host, Title: "download " + count, Deadline: time.Hour, Rest: true,
			Do:   []platform.Operation{{Command: &startStage}},
			Look: platform.Look{Do: []platform.Operation{{Command: &lookStage}}, Judge: judgeStage},
		},
		{
			ID: "install", On: f.Host, Title: "install " + count, Deadline: 2 * time.Hour, Changes: true, Rest: true,
			Do:   []platform.Operation{{Command: &startInstall}},
			Look: s.lookInstalled(f, w, installing.ID),
		},
	}, nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// lookInstalled looks at the job first and then at the versions: in this order a
// job that ended in between is still seen running, never the other way round.
func (s scheme) lookInstalled(f fact.Facts, w patch.Work, id string) platform.Look {
	asked := names(w.Install)
	log := job.Folder + "/" + id + "/log"
	args := append([]string{nonce("install "+id, f, asked), s.manager, log}, asked...)
	status, after := job.Look(id, lookWait), look(remote.Reads, maxReport, args, frameScript, commonScript, afterScript)
	return platform.Look{
		Do:    []platform.Operation{{Command: &status}, {Command: &after}},
		Judge: func(r []remote.Result) platform.Standing { return s.judgeInstall(f, w, r) },
	}
}

func judgeStage(results []remote.Result) platform.Standing {
	if len(results) != 1 {
		return platform.Standing{Reasons: []string{"the host was not asked"}}
	}
	status := job.Read(results[0])
	switch status.State {
	case job.Absent, job.Claimed:
		return platform.Standing{State: platform.NotDone}
	case job.Running:
		return platform.Standing{State: platform.Running, Progress: status.Last()}
	case job.Exited:
		if status.Code == 0 {
			return platform.Standing{State: platform.Done}
		}
		return failed(status, "the download failed")
	case job.Interrupted: // nothing was installed yet
		return failed(status, "the download was cut: "+status.Reason)
	case job.Revoked:
		return failed(status, "the download did not begin: "+status.Reason)
	case job.Unknown:
	}
	return platform.Standing{Reasons: []string{status.Reason}}
}

// failed tells the exit status and what the log says of it.
func failed(status job.Status, what string) platform.Standing {
	if status.State == job.Exited {
		what += " (exit status " + strconv.Itoa(status.Code) + ")"
	}
	return platform.Standing{State: platform.Failed, Reasons: append([]string{what}, telling(status.Log)...)}
}

// telling picks the lines of a log that say what went wrong; without any, the last ones.
func telling(log []string) []string {
	var lines []string
	for _, line := range log {
		for _, mark := range []string{"E: ", "dpkg: error", "Error", "error: ", "Err:"} {
			if strings.HasPrefix(line, mark) {
				lines = append(lines, line)
				break
			}
		}
	}
	if len(lines) == 0 {
		lines = log
	}
	return lines[max(0, len(lines)-5):]
}

// judgeInstall: before the job exists, what is installed decides; once it exists, it
// does, and then the versions must be there as well.
func (s scheme) judgeInstall(f fact.Facts, w patch.Work, results []remote.Result) platform.Standing {
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
	rep, trouble := wholeReport(results)
	versions := rep.get("versions")
	installed, odd := readInstalled(versions.lines())
	if trouble == "" && (versions.status < 0 || versions.status > 1 || odd > 0) {
		trouble = "the installed versions could not be read: " + versions.why()
	}
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	unmet, tooNew := s.unmet(f, w, installed)
	switch status.State {
	case job.Exited:
		return ended(status, unmet, remarks(rep))
	case job.Revoked:
		if len(unmet) > 0 {
			return failed(status, "the installation did not begin: "+status.Reason)
		}
	case job.Interrupted:
		reasons := append([]string{"the installation was cut: " + status.Reason}, unmet...)
		return platform.Standing{Reasons: append(reasons, telling(status.Log)...)}
	case job.Absent, job.Claimed, job.Running, job.Unknown:
	}
	return unbegun(unmet, tooNew)
}

// unbegun: no job has run. A version newer than planned is never taken back.
func unbegun(unmet []string, tooNew bool) platform.Standing {
	switch {
	case len(unmet) == 0:
		return platform.Standing{State: platform.Done, Notes: []string{"everything was installed already"}}
	case tooNew:
		return platform.Standing{State: platform.Failed, Reasons: append([]string{"something newer than planned is installed"}, unmet...)}
	}
	return platform.Standing{State: platform.NotDone}
}

// newerHere is dnf.sh's exit status where it refused to downgrade.
const newerHere = 79

// ended judges a job that ended by itself. Exit status 0 is not enough: dnf gives it
// though a package's script failed, and the versions are what counts.
func ended(status job.Status, unmet []string, said remarkList) platform.Standing {
	switch {
	case status.Code == newerHere:
		reasons := []string{"something newer than planned was installed meanwhile, which dnf would have taken back; nothing was changed"}
		return platform.Standing{State: platform.Failed, Reasons: append(reasons, unmet...)}
	case status.Code != 0:
		bad := failed(status, "the installation failed")
		bad.Reasons, bad.Notes = append(bad.Reasons, unmet...), said.notes
		return bad
	case len(said.failures) > 0:
		reasons := append([]string{"not all went well, though the package manager says so"}, said.failures...)
		return platform.Standing{State: platform.Failed, Reasons: append(reasons, unmet...), Notes: said.notes}
	case len(unmet) > 0:
		return platform.Standing{State: platform.Failed, Reasons: append([]string{"the installation ended well, but"}, unmet...), Notes: said.notes}
	}
	return platform.Standing{State: platform.Done, Notes: said.notes}
}

// remarkList is what an installation's log is worth reporting for.
type remarkList struct{ failures, notes []string }

var (
	conffileForm = regexp.MustCompile(`^Configuration file '(.+)'$`)
	rpmnewForm   = regexp.MustCompile(`^warning: (\S+) (?:created|saved) as (\S+)$`)
)

func remarks(rep report) remarkList {
	var list remarkList
	for _, line := range rep.get("remarks").lines() {
		line = remote.Clean(line, 300)
		if m := conffileForm.FindStringSubmatch(line); m != nil {
			list.notes = append(list.notes, m[1]+" was changed on this host and kept; the package's own lies beside it as "+m[1]+".dpkg-dist")
		} else if m := rpmnewForm.FindStringSubmatch(line); m != nil {
			list.notes = append(list.notes, m[1]+": the other version lies beside it as "+m[2])
		} else if strings.HasPrefix(line, "Downgrading ") {
			list.failures = append(list.failures, "something newer was taken back: "+line)
		} else if note, found := strings.CutPrefix(line, "patchring: "); found {
			list.notes = append(list.notes, note)
		} else {
			list.failures = append(list.failures, line)
		}
	}
	return list
}
