package linux

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed sent.sh
var sentScript string

//go:embed sent_look.sh
var sentLookScript string

//go:embed snapshot.sh
var snapshotScript string

// Folders of package files on a host; below each lies one for each work.
const (
	KeptFolder = lockHome + "/kept" // outgoing versions, until the rollout ends
	SentFolder = lockHome + "/sent" // what the repositories no longer have, until the rollout ends
)

func keptFor(w patch.Work) string { return KeptFolder + "/" + w.ID }
func sentFor(w patch.Work) string { return SentFolder + "/" + w.ID }

// sentPath is where an update's file is put that does not come from the repositories.
// The parts are well-formed; the package managers go by the ending alone.
func (m Manager) sentPath(w patch.Work, u patch.Update) string {
	name := u.Name + "_" + u.To
	if u.Arch != "" {
		name += "_" + u.Arch
	}
	return sentFor(w) + "/" + strings.ReplaceAll(name, ":", "_") + m.Ending
}

// The archives are asked for so many seconds; after somewhat more it is over anyhow.
const (
	archiveSeconds = 480
	archiveLongest = 570
)

// mostUnknown bounds a file whose size is not known.
const mostUnknown = 1 << 30

// supply are the steps that bring the files that the host's repositories no longer have:
// first from snapshot archives, by the host itself; what these do not have, from the
// controller's store. Neither changes anything of the system.
func (m Manager) supply(f fact.Facts, w patch.Work) []platform.Step {
	wanted := slices.DeleteFunc(slices.Clone(w.Install), func(u patch.Update) bool { return u.Source != patch.SourceStore })
	if len(wanted) == 0 {
		return nil
	}
	step := m.send(f, w, wanted)
	if archived := m.archived(w, wanted); len(archived) > 0 {
		return []platform.Step{m.snapshot(f, w, archived), step}
	}
	return []platform.Step{step}
}

// archived are those that an archive may have.
func (Manager) archived(w patch.Work, wanted []patch.Update) []patch.Update {
	if len(w.Snapshots) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(u patch.Update) bool { return !isPath(below(u.File)) })
}

// below is a file's path as it is added to an address.
func below(file string) string { return "/" + strings.TrimPrefix(file, "/") }

func (m Manager) snapshot(f fact.Facts, w patch.Work, wanted []patch.Update) platform.Step {
	args := append([]string{SentFolder, sentFor(w), strconv.Itoa(archiveSeconds), strconv.Itoa(len(w.Snapshots))}, w.Snapshots...)
	for _, u := range wanted {
		most := u.Size
		if most <= 0 {
			most = mostUnknown
		}
		// One byte more: what is longer than it should be must not pass for whole.
		args = append(args, path.Base(m.sentPath(w, u)), hexOf(u.Digest), strconv.FormatInt(most+1, 10), strings.TrimPrefix(below(u.File), "/"))
	}
	fetch := look(remote.Changes, 0, args, frameScript, commonScript, snapshotScript)
	return platform.Step{
		ID: "snapshot", On: f.Host, Title: "fetch " + files(wanted) + " from an archive", Deadline: 10 * time.Minute, Rest: true,
		Do:   []platform.Operation{{Command: &fetch}},
		Look: m.lookSent(f, w, wanted, judgeSnapshot),
	}
}

func (m Manager) send(f fact.Facts, w patch.Work, wanted []patch.Update) platform.Step {
	folders := look(remote.Changes, 0, []string{lockHome, SentFolder, sentFor(w)}, frameScript, commonScript, sentScript)
	do := []platform.Operation{{Command: &folders}}
	for _, u := range wanted {
		do = append(do, platform.Operation{Put: &platform.File{Path: m.sentPath(w, u), Store: u.Digest}})
	}
	return platform.Step{
		ID: "supply", On: f.Host, Title: "send " + files(wanted), Deadline: time.Hour, Rest: true,
		Do: do, Look: m.lookSent(f, w, wanted, judgeSent),
	}
}

func files(list []patch.Update) string { return fmt.Sprintf("%d file%s", len(list), plural(len(list))) }

func hexOf(d patch.Digest) string { return strings.TrimPrefix(string(d), "sha256:") }

// lookSent looks at the files of these updates. The judge gets what is wrong with them.
func (m Manager) lookSent(f fact.Facts, w patch.Work, wanted []patch.Update, judge func(asked string, wrong []string) platform.Standing) platform.Look {
	args := []string{sentFor(w), strconv.Itoa(archiveLongest)}
	for _, u := range wanted {
		args = append(args, path.Base(m.sentPath(w, u)))
	}
	command := look(remote.Reads, maxReport, append([]string{nonce("sent "+w.ID, f, args)}, args...), frameScript, commonScript, sentLookScript)
	return platform.Look{
		Do: []platform.Operation{{Command: &command}},
		Judge: func(r []remote.Result) platform.Standing {
			rep, trouble := WholeReport(r)
			sent := rep.Get("sent")
			if trouble == "" && sent.Status < 0 {
				trouble = "the files in " + sentFor(w) + " could not be looked at: " + sent.Why()
			}
			if trouble != "" {
				return platform.Standing{Reasons: []string{trouble}}
			}
			return judge(strings.TrimSpace(rep.Get("asked").Out), m.unsent(w, wanted, sent))
		},
	}
}

// unsent says of each update without its right file why.
func (m Manager) unsent(w patch.Work, wanted []patch.Update, sent Section) []string {
	there := map[string]string{}
	for _, line := range sent.Lines() {
		if digest, name, found := strings.Cut(line, " "); found {
			there[name] = digest
		}
	}
	var wrong []string
	for _, u := range wanted {
		switch digest, found := there[path.Base(m.sentPath(w, u))]; {
		case !found:
			wrong = append(wrong, fmt.Sprintf("the file of %s %s is not there", u.Key(), u.To))
		case digest != hexOf(u.Digest):
			wrong = append(wrong, fmt.Sprintf("the file of %s %s has digest %s, not %s", u.Key(), u.To, remote.Clean(digest, 12), u.Digest.Short()))
		}
	}
	return wrong
}

// judgeSnapshot: what the archives did not have is no failure.
func judgeSnapshot(asked string, wrong []string) platform.Standing {
	switch {
	case len(wrong) == 0:
		return platform.Standing{State: platform.Done}
	case asked == "no":
		return platform.Standing{State: platform.NotDone, Reasons: wrong}
	case asked == "going":
		return platform.Standing{State: platform.Running, Progress: "asking the archives: " + wrong[0]}
	case asked == "over":
		note := fmt.Sprintf("%d file%s could not be had from a snapshot archive: sent from here", len(wrong), plural(len(wrong)))
		return platform.Standing{State: platform.Done, Notes: []string{note}}
	}
	return platform.Standing{Reasons: []string{"how far the archives were asked was not understood: " + remote.Clean(asked, 40)}}
}

func judgeSent(_ string, wrong []string) platform.Standing {
	if len(wrong) > 0 {
		return platform.Standing{State: platform.NotDone, Reasons: wrong}
	}
	return platform.Standing{State: platform.Done}
}
