package linux

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed marker.sh
var markerScript string

//go:embed mark_look.sh
var markLookScript string

//go:embed mark.sh
var markScript string

// MarkerFolder holds the markers on a host: a file for each playbook and site, with the
// owner's JSON of the rollout that is open there.
const MarkerFolder = lockHome + "/open"

// MarkerName is the file's for a playbook and site, whose names may hold anything.
func MarkerName(playbook, site string) string {
	return strings.TrimPrefix(string(patch.DigestOf([]byte(site+"\x00"+playbook))), "sha256:")[:32]
}

func mark(on fact.HostID, o platform.Owner) platform.Step {
	owner, rollout := ownerJSON(o)
	name := MarkerName(o.Playbook, o.Site)
	change := look(remote.Changes, 0, []string{"write", lockHome, name, rollout, owner}, markScript)
	see := look(remote.Reads, 0, []string{nonce("mark", fact.Facts{Host: on}, []string{owner}), lockHome, name}, frameScript, markerScript, markLookScript)
	return platform.Step{
		ID: "mark", On: on, Title: "leave the rollout's marker on the host", Deadline: time.Minute, Rest: true,
		Do: []platform.Operation{{Command: &change}},
		Look: platform.Look{
			Do:    []platform.Operation{{Command: &see}},
			Judge: func(r []remote.Result) platform.Standing { return judgeMark(o, r) },
		},
	}
}

func unmark(o platform.Owner) remote.Command {
	_, rollout := ownerJSON(o)
	return look(remote.Changes, 0, []string{"remove", lockHome, MarkerName(o.Playbook, o.Site), rollout, "", workName(o.Rollout)}, markScript)
}

// workName is what the names of a rollout's works begin with on every host; the engine
// adds the host's and the try's parts.
func workName(rollout string) string {
	if id := strings.ToLower(rollout); id != "" && len(id) <= 40 && strings.Trim(id, alnum+"-") == "" {
		return id
	}
	return "r-" + patch.DigestOf([]byte(rollout)).Short()
}

func judgeMark(o platform.Owner, results []remote.Result) platform.Standing {
	rep, trouble := WholeReport(results)
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	state, lines := standsOpen(rep.Get("open"))
	switch {
	case state == "odd", len(lines) == 1 && lines[0] == "odd":
		return platform.Standing{State: platform.Failed, Reasons: []string{"a marker in " + MarkerFolder + " is not a file, or the folder is none; find out who made it, and remove it"}}
	case state == "absent", state == "there" && len(lines) == 0:
		return platform.Standing{State: platform.NotDone}
	case state != "there":
		return platform.Standing{Reasons: []string{MarkerFolder + " can't be looked at"}}
	}
	// What can't be understood is replaced like any other.
	if found, err := ownerIn(lines[0]); err == nil && same(found, o) && found.Playbook == o.Playbook && found.Site == o.Site {
		return platform.Standing{State: platform.Done}
	}
	return platform.Standing{State: platform.NotDone}
}

// standsOpen takes the section apart: how the markers stand ("": not known), and a line
// for each.
func standsOpen(s Section) (state string, lines []string) {
	if lines = s.Lines(); !s.OK() || len(lines) == 0 {
		return "", nil
	}
	return lines[0], lines[1:]
}

func ownerIn(text string) (platform.Owner, error) {
	var o platform.Owner
	err := json.Unmarshal([]byte(text), &o)
	return o, err //nolint:wrapcheck // the caller says what was not understood
}

// markers reads what open rollouts have left. A folder that nobody but root may enter
// hides the lock as well: then nothing can be begun here either, so nothing stands
// against taking it for none, and the problem says so.
func (r *Reader) markers() {
	s := r.Report.Get("open")
	switch state, lines := standsOpen(s); state {
	case "absent":
	case "there":
		for _, line := range lines {
			r.marker(line)
		}
		slices.SortFunc(r.Facts.Markers, compareMarkers)
	case "hidden":
		r.Problem("marker", "%s can't be entered: whether a rollout is open here is not known", lockHome)
	case "odd":
		r.Problem("marker", "%s is not a folder: whether a rollout is open here is not known", MarkerFolder)
	default:
		r.Problem("marker", "whether a rollout is open here could not be read: %s", s.Why())
	}
}

func (r *Reader) marker(line string) {
	m := readMarker(line)
	if m == nil {
		r.Problem("marker", "a marker in %s can't be understood: %s", MarkerFolder, remote.Clean(line, 200))
		return
	}
	r.Facts.Markers = append(r.Facts.Markers, *m)
}

func compareMarkers(a, b fact.Marker) int {
	return cmp.Or(strings.Compare(a.Site, b.Site), strings.Compare(a.Playbook, b.Playbook), strings.Compare(a.Rollout, b.Rollout))
}

// plainRollout is the id of a rollout that may stand in a command which a person copies.
var plainRollout = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// maxMarkerName bounds the names that a marker carries.
const maxMarkerName = 200

// readMarker understands a marker wholly or not at all.
func readMarker(text string) *fact.Marker {
	o, err := ownerIn(text)
	if err != nil || !plainRollout.MatchString(o.Rollout) || !tidy(o.Playbook) || !tidy(o.Site) {
		return nil
	}
	since := o.Since.UTC()
	if !plausible(since.Unix()) {
		return nil
	}
	return &fact.Marker{Rollout: o.Rollout, Playbook: o.Playbook, Site: o.Site, By: remote.Clean(o.By, 100), Since: since}
}

// tidy: a name as a playbook or an inventory can hold it.
func tidy(name string) bool { return name != "" && remote.Clean(name, maxMarkerName) == name }
