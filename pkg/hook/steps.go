package hook

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

const (
	lookWait = 20 * time.Second // on the host, per look
	// around is what a job may take beside its command: to begin, to be ended, to be seen.
	around    = 2 * time.Minute
	toldLines = 5
	titleSize = 100
)

// Env is the environment of a hook: PATCHRING_HOST and its like, all of them, empty
// where there is nothing to say.
func (v Values) Env() []string {
	return []string{
		"PATCHRING_HOST=" + v.Host,
		"PATCHRING_SITE=" + v.Site,
		"PATCHRING_ADDRESS=" + v.Address,
		"PATCHRING_ROLLOUT=" + v.Rollout,
		"PATCHRING_RING=" + v.Ring,
		"PATCHRING_PLAYBOOK=" + v.Playbook,
		"PATCHRING_HOOK=" + v.Hook,
	}
}

// called is what a person calls the run.
func (r Run) called() string {
	switch {
	case r.Name != "":
		return remote.Clean(r.Name, titleSize)
	case len(r.Argv) > 0:
		return remote.Clean(path.Base(r.Argv[0]), titleSize)
	}
	return string(r.Step)
}

func runStep(r Run) (platform.Step, error) {
	if r.Within <= 0 {
		return platform.Step{}, fmt.Errorf("hook %s: nothing says how long it may take", r.called())
	}
	start, err := r.Place.Start(job.Spec{ID: r.ID, Argv: r.Argv, Env: r.Env, Within: r.Within})
	if err != nil {
		return platform.Step{}, fmt.Errorf("hook %s: %w", r.called(), err)
	}
	look := r.Place.Look(r.ID, lookWait)
	return platform.Step{
		ID: r.Step, On: r.On, Title: "run " + r.called(), Deadline: r.Within + around,
		Do:   []platform.Operation{{Command: &start}},
		Look: platform.Look{Do: []platform.Operation{{Command: &look}}, Judge: r.judge},
	}, nil
}

// judge reads the look at the job. Interrupted is Unknown: how far it came only a person
// can find out.
func (r Run) judge(results []remote.Result) platform.Standing {
	if len(results) != 1 {
		return platform.Standing{Reasons: []string{"nobody was asked"}}
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
		return r.failed(status, r.called()+" failed (exit status "+strconv.Itoa(status.Code)+")")
	case job.TimedOut:
		return r.failed(status, r.called()+" did not end within "+r.Within.String()+", and was ended")
	case job.Revoked:
		return r.failed(status, r.called()+" did not begin: "+status.Reason)
	case job.Interrupted:
		reasons := []string{r.called() + " was cut, and is not run again: " + status.Reason}
		return platform.Standing{Code: fault.HostFailed, Reasons: append(reasons, last(status.Log)...)}
	case job.Unknown:
	}
	return platform.Standing{Reasons: []string{"how " + r.called() + " stands can't be told: " + status.Reason}}
}

func (r Run) failed(status job.Status, what string) platform.Standing {
	return platform.Standing{State: platform.Failed, Code: fault.HostFailed, Reasons: append([]string{what}, last(status.Log)...)}
}

// last is the end of a log; job.Read has cleaned it.
func last(log []string) []string { return log[max(0, len(log)-toldLines):] }

// checkWords refuses what can't travel as argv.
func checkWords(argv, env []string) error {
	if len(argv) == 0 || argv[0] == "" || strings.Contains(argv[0], "=") {
		return errors.New("there is no command") // env takes what holds a "=" for a variable
	}
	if strings.ContainsRune(strings.Join(slices.Concat(argv, env), ""), 0) {
		return errors.New("a NUL byte can't be part of an argument")
	}
	for _, e := range env {
		if name, _, found := strings.Cut(e, "="); !found || name == "" || strings.HasPrefix(name, "-") {
			return fmt.Errorf("%q is not NAME=value", remote.Clean(e, titleSize))
		}
	}
	return nil
}
