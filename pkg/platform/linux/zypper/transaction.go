package zypper

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// summary is what `zypper install --dry-run` would do, by its groups.
type summary struct {
	changes    []patch.Update
	removes    []patch.Update
	downgrades []patch.Update
	vendors    []string
	other      []string // groups that are neither, with their first package
	odd        []string
	seen       bool // there is a summary at all
	total      int  // how many packages zypper says that it would change
}

// readSummary reads the groups. A package whose vendor or architecture changes stands in
// the group of its upgrade as well.
func readSummary(text string) (s summary, err error) {
	group := ""
	err = readTags(text, func(t tag) {
		switch {
		case t.name == "install-summary":
			s.seen = true
			s.total = count(t.attr["packages-to-change"])
		case strings.HasPrefix(t.name, "to-"):
			group = t.name
		case strings.HasPrefix(t.name, "/to-"):
			group = ""
		case t.name == "solvable" && group != "":
			s.add(group, t)
		}
	})
	return s, err
}

// count is -1 for what is no number.
func count(text string) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return -1
}

// known is how many of the packages to change are in a group that was read.
func (s *summary) known() int { return len(s.changes) + len(s.removes) + len(s.downgrades) }

func (s *summary) add(group string, t tag) {
	u := patch.Update{
		Name: t.attr["name"], Arch: t.attr["arch"], To: linux.NoEpochZero(t.attr["edition"]),
		From: linux.NoEpochZero(t.attr["edition-old"]), Severity: patch.SeverityUnknown,
	}
	what := remote.Clean(u.Key()+" "+u.To, 200)
	if !linux.WellFormed(u) || u.Arch == "" || t.attr["type"] != "package" {
		s.odd = append(s.odd, remote.Clean(t.attr["type"]+" ", 40)+what)
		return
	}
	switch group {
	case "to-install", "to-upgrade", "to-change-arch":
		s.change(u)
	case "to-remove":
		s.removes = append(s.removes, u)
	case "to-downgrade":
		s.downgrades = append(s.downgrades, u)
	case "to-change-vendor":
		s.vendors = append(s.vendors, what)
	default:
		s.other = append(s.other, strings.TrimPrefix(group, "to-")+" "+what)
	}
}

// change adds a package once, in whichever groups it stands.
func (s *summary) change(u patch.Update) {
	for _, c := range s.changes {
		if c.Key() == u.Key() && c.To == u.To {
			return
		}
	}
	s.changes = append(s.changes, u)
}

// simulated reads `zypper install --dry-run`. It says 0 where it would do nothing, and
// where it would follow a package to another vendor: its groups tell.
func simulated(_ fact.Facts, w patch.Work, s linux.Section) linux.Transaction {
	sum, err := readSummary(s.Out)
	t := linux.Transaction{Changes: sum.changes}
	if w.Back {
		t.Changes = append(t.Changes, sum.downgrades...)
	}
	for _, u := range sum.removes {
		t.Removes = append(t.Removes, u.Key())
	}
	t.Refused = refusal(w, s, sum, err)
	return t
}

func refusal(w patch.Work, s linux.Section, sum summary, err error) string {
	switch code := Exit(s.Status); {
	case s.Status < 0:
		return "zypper: " + s.Why()
	case !code.Trusted():
		return fmt.Sprintf("zypper refuses: %s", told(s, err))
	case err != nil:
		return err.Error()
	case !sum.seen:
		return "zypper gave no summary of what it would do"
	case len(sum.odd) > 0:
		return "zypper said something that was not understood: " + sum.odd[0]
	case len(sum.vendors) > 0 && !w.Back:
		return "zypper would take another vendor's package: " + sum.vendors[0]
	case len(sum.downgrades) > 0 && !w.Back:
		return "zypper would downgrade " + sum.downgrades[0].Key()
	case len(sum.other) > 0:
		return "zypper would do more than install: " + sum.other[0]
	case sum.known() != sum.total:
		return fmt.Sprintf("zypper would change %d packages, and names %d", sum.total, sum.known())
	}
	return ""
}
