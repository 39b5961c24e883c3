package linux

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
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
func (s Manager) transactionSteps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	staging, installing := s.job(f, w, "stage"), s.job(f, w, "install")
	startStage, err := job.Start(staging)
	if err != nil {
		return nil, Refuse(f, "", "%v", err)
	}
	startInstall, err := job.Start(installing)
	if err != nil {
		return nil, Refuse(f, "", "%v", err)
	}
	count := fmt.Sprintf("%d update%s", len(w.Install), plural(len(w.Install)))
	return []platform.Step{
		{
			ID: "stage", On: f.Host, Title: "download " + count, Deadline: time.Hour, Rest: true,
			Do:   []platform.Operation{{Command: &startStage}},
			Look: s.lookStaged(f, w, staging.ID),
		},
		{
			ID: "install", On: f.Host, Title: "install " + count, Deadline: 2 * time.Hour, Changes: true, Rest: true,
			Do:   []platform.Operation{{Command: &startInstall}},
			Look: s.lookInstalled(f, w, installing.ID),
		},
	}, nil
}

// job is a verb of jobs.sh.
func (s Manager) job(f fact.Facts, w patch.Work, verb string) job.Spec {
	keep, outgoing := "", []string{}
	aside := strings.Join(s.Aside, " ")
	if verb == "stage" {
		aside = "" // what others begin meanwhile is seen by the install step
	}
	if w.Keep {
		keep, outgoing = keptFor(w), s.outgoing(f, w)
	}
	argv := []string{"sh", "-c", s.jobText(), "patchring-" + s.Name, s.Name, verb}
	argv = slices.Concat(argv, s.way(f, w), []string{aside, keep, strconv.Itoa(len(outgoing))}, outgoing, s.words(f, w))
	return job.Spec{ID: jobID(w, verb), Argv: argv, Env: s.Env, Inhibit: verb != "stage"}
}

// jobText is what a job runs.
func (s Manager) jobText() string { return commonScript + s.text() + s.Acts + jobsScript }

// outgoing are the words for the versions that this work replaces.
func (s Manager) outgoing(f fact.Facts, w patch.Work) []string {
	var words []string
	for _, u := range w.Install {
		if u.From != "" {
			u.To, u.Source = u.From, patch.SourceRepository
			words = append(words, s.Spec(u, f.Arch))
		}
	}
	return words
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// lookInstalled looks at the job first and then at the versions: in this order a
// job that ended in between is still seen running, never the other way round.
func (s Manager) lookInstalled(f fact.Facts, w patch.Work, id string) platform.Look {
	asked := asked(w)
	log := job.Folder + "/" + id + "/log"
	status, after := job.Look(id, lookWait), s.looks("install "+id, f, w, afterScript, append([]string{log}, asked...)...)
	return platform.Look{
		Do:    []platform.Operation{{Command: &status}, {Command: &after}},
		Judge: func(r []remote.Result) platform.Standing { return s.judgeInstall(f, w, r) },
	}
}

// failed tells the exit status and what the log says of it.
func failed(status job.Status, what string) platform.Standing {
	if status.State == job.Exited {
		what += " (exit status " + strconv.Itoa(status.Code) + ")"
	}
	return platform.Standing{State: platform.Failed, Reasons: append([]string{what}, telling(status.Log)...)}
}

var upgradingForm = regexp.MustCompile(`^(?:(?:re|un)?install|upgrad|downgrad|remov)ing \S+\.\.\.$`)

// telling picks the lines of a log that say what went wrong; without any, the last ones.
func telling(log []string) []string {
	var lines []string
	at := ""
	for _, line := range log {
		if upgradingForm.MatchString(line) {
			at = line
		}
		if line == "error: command failed to execute correctly" && at != "" { // pacman does not say whose
			line, at = line+" ("+at+")", ""
		}
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
func (s Manager) judgeInstall(f fact.Facts, w patch.Work, results []remote.Result) platform.Standing {
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
	versions := rep.Get("versions")
	installed, odd := ReadInstalled(versions.Lines())
	if trouble == "" && (versions.Status < 0 || versions.Status > 1 || odd > 0) {
		trouble = "the installed versions could not be read: " + versions.Why()
	}
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	unmet, tooNew := s.unmet(f, w, installed)
	switch status.State {
	case job.Exited:
		return ended(status, unmet, remarks(rep, w))
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

// Exit statuses of jobs that looked once more right before the act, and changed nothing.
const (
	otherNow  = 78 // the package manager would do something else than planned
	newerHere = 79 // something newer is installed, which it would take back
)

// ended judges a job that ended by itself. Exit status 0 is not enough: dnf and
// pacman give it though a package's script failed, and the versions are what counts.
func ended(status job.Status, unmet []string, said remarkList) platform.Standing {
	switch {
	case status.Code == otherNow:
		bad := failed(status, "the package manager would do something else now than was planned; nothing was changed")
		bad.Reasons = append(bad.Reasons, unmet...)
		return bad
	case status.Code == newerHere:
		reasons := []string{"something newer than planned was installed meanwhile, which the package manager would have taken back; nothing was changed"}
		return platform.Standing{State: platform.Failed, Reasons: append(reasons, unmet...)}
	case status.Code != 0:
		bad := failed(status, "the installation failed")
		// What a script of a package said comes first: the last lines seldom name it.
		bad.Reasons = slices.Concat(bad.Reasons[:1], said.failures, bad.Reasons[1:], unmet)
		bad.Notes = said.notes
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

func remarks(rep Report, w patch.Work) remarkList {
	var list remarkList
	for _, line := range rep.Get("remarks").Lines() {
		line = remote.Clean(line, 300)
		switch note := noteOf(line); {
		case note != "":
			list.notes = append(list.notes, note)
		case !strings.HasPrefix(line, "Downgrading "):
			list.failures = append(list.failures, line)
		case !w.Back:
			list.failures = append(list.failures, "something newer was taken back: "+line)
		}
	}
	list.notes = append(list.notes, beside(rep, list.notes)...)
	return list
}

// noteOf is what a line that is no failure tells; else "".
func noteOf(line string) string {
	if m := conffileForm.FindStringSubmatch(line); m != nil {
		return m[1] + " was changed on this host and kept; the package's own lies beside it as " + m[1] + ".dpkg-dist"
	}
	if m := rpmnewForm.FindStringSubmatch(line); m != nil {
		return m[1] + ": the other version lies beside it as " + m[2]
	}
	note, _ := strings.CutPrefix(line, "patchring: ")
	if note == line {
		return ""
	}
	return note
}

// beside tells of configuration files of which the log said nothing.
func beside(rep Report, told []string) []string {
	var notes []string
	for _, path := range rep.Get("beside").Lines() {
		path = remote.Clean(path, 200)
		said := func(note string) bool { return strings.HasSuffix(note, path) }
		if strings.HasPrefix(path, "/etc/") && !slices.ContainsFunc(told, said) {
			notes = append(notes, path+" was left beside the file in use: compare the two")
		}
	}
	return notes
}
