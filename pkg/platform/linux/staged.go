package linux

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed staged.sh
var stagedScript string

func (m Manager) staged(f fact.Facts, w patch.Work) remote.Command {
	return m.askStaged("staged", f, w, "")
}

// askStaged asks once the job has ended whose folder is given; at once without one.
func (m Manager) askStaged(purpose string, f fact.Facts, w patch.Work, folder string) remote.Command {
	asked := asked(w)
	args := slices.Concat([]string{folder, keptFor(w), sentFor(w), strconv.Itoa(len(asked))}, asked, m.words(f, w))
	return m.looks(purpose+" "+w.ID, f, w, stagedScript, args...)
}

// ReadStaged reads the answer: what was staged and sent first, then what is kept.
func (Manager) ReadStaged(f fact.Facts, _ patch.Work, r remote.Result) ([]fact.PackageFile, error) {
	rep, trouble := WholeReport([]remote.Result{r})
	if trouble != "" {
		return nil, Refuse(f, "try again", "the downloaded files could not be looked at: %s", trouble)
	}
	var all []fact.PackageFile
	for _, name := range []string{"staged", "sent", "kept"} {
		files, wrong := readFiles(rep.Get(name))
		if wrong != "" {
			return nil, Refuse(f, "try again", "%s", wrong)
		}
		all = append(all, files...)
	}
	return all, nil
}

// lookStaged looks at the job, and where digests are known, at what it has downloaded: in
// this order, so that a job that has ended is never taken for one that has not.
func (m Manager) lookStaged(f fact.Facts, w patch.Work, id string) platform.Look {
	status := job.Look(id, lookWait)
	do := []platform.Operation{{Command: &status}}
	if len(known(w)) > 0 {
		files := m.askStaged("stage", f, w, job.Folder+"/"+id)
		do = append(do, platform.Operation{Command: &files})
	}
	return platform.Look{Do: do, Judge: func(r []remote.Result) platform.Standing { return m.judgeStage(f, w, r) }}
}

// known are the updates whose file's digest is known.
func known(w patch.Work) []patch.Update {
	return slices.DeleteFunc(slices.Clone(w.Install), func(u patch.Update) bool { return u.Digest == "" })
}

func (m Manager) judgeStage(f fact.Facts, w patch.Work, results []remote.Result) platform.Standing {
	if len(results) == 0 || len(known(w)) > 0 && len(results) != 2 {
		return platform.Standing{Reasons: []string{"the host was not asked"}}
	}
	status := job.Read(results[0])
	switch status.State {
	case job.Absent, job.Claimed:
		return platform.Standing{State: platform.NotDone}
	case job.Running:
		return platform.Standing{State: platform.Running, Progress: status.Last()}
	case job.Exited:
		if status.Code != 0 {
			return failed(status, "the download failed")
		}
		staged := m.compare(f, w, results[1:])
		staged.Notes = remarksIn(status.Log)
		return staged
	case job.Interrupted: // nothing was installed yet
		return failed(status, "the download was cut: "+status.Reason)
	case job.Revoked:
		return failed(status, "the download did not begin: "+status.Reason)
	case job.Unknown:
	}
	return platform.Standing{Reasons: []string{status.Reason}}
}

// remarksIn are the lines of a log that our own script has written.
func remarksIn(log []string) []string {
	var notes []string
	for _, line := range log {
		if note, found := strings.CutPrefix(line, "patchring: "); found {
			notes = append(notes, note)
		}
	}
	return notes
}

// compare holds what was downloaded to the digests that are known. What can't be compared
// is not installed. What is installed already at its version, by this work or before it,
// needs no file any more.
func (m Manager) compare(f fact.Facts, w patch.Work, results []remote.Result) platform.Standing {
	updates := known(w)
	if len(updates) == 0 {
		return platform.Standing{State: platform.Done}
	}
	rep, trouble := WholeReport(results)
	versions := rep.Get("versions")
	installed, odd := ReadInstalled(versions.Lines())
	staged, wrong := readFiles(rep.Get("staged"))
	switch {
	case trouble != "":
	case versions.Status < 0 || versions.Status > 1 || odd > 0:
		trouble = "the installed versions could not be read: " + versions.Why()
	case wrong != "":
		trouble = wrong
	case rep.Get("given").Status < 0:
		trouble = "the digests could not be read: " + rep.Get("given").Why()
	}
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	given := readGiven(rep.Get("given").Lines())
	var reasons []string
	for _, u := range updates {
		if m.state(f, u, installed) == exact {
			continue
		}
		if why := differs(u, m.digests(f, w, u, staged, given)); why != "" {
			reasons = append(reasons, why)
		}
	}
	if len(reasons) > 0 {
		return platform.Standing{State: platform.Failed, Reasons: append(reasons, "nothing was installed")}
	}
	return platform.Standing{State: platform.Done}
}

// readGiven reads "digest path" lines.
func readGiven(lines []string) map[string]patch.Digest {
	given := map[string]patch.Digest{}
	for _, line := range lines {
		hexes, path, _ := strings.Cut(line, " ")
		if digest, err := patch.ParseDigest("sha256:" + hexes); err == nil {
			given[path] = digest
		}
	}
	return given
}

// digests are those of all files that may be the update's.
func (m Manager) digests(f fact.Facts, w patch.Work, u patch.Update, staged []fact.PackageFile, given map[string]patch.Digest) []patch.Digest {
	if u.Source != patch.SourceRepository {
		if digest, found := given[m.word(f, w, u)]; found {
			return []patch.Digest{digest}
		}
		return nil
	}
	var all []patch.Digest
	for _, file := range staged {
		if m.Key(file.Name, file.Arch, f.Arch) == m.Key(u.Name, u.Arch, f.Arch) && m.Order(file.Version, u.To) == 0 {
			all = append(all, file.Digest)
		}
	}
	return all
}

// differs says what is wrong with an update's files; "": all have its digest.
func differs(u patch.Update, found []patch.Digest) string {
	if len(found) == 0 {
		return fmt.Sprintf("the downloaded file of %s %s could not be found, so its digest can't be compared", u.Key(), u.To)
	}
	for _, digest := range found {
		if digest != u.Digest {
			return fmt.Sprintf("the downloaded file of %s %s has another digest than the one that was tested: %s, not %s", u.Key(), u.To, digest.Short(), u.Digest.Short())
		}
	}
	return ""
}
