package image

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// trouble is what the preflight finds wrong.
func trouble(rep linux.Report) []string {
	section := rep.Get("image")
	s, err := readStatus(section.Out)
	switch {
	case !section.OK():
		return []string{"rpm-ostree status: " + section.Why()}
	case err != nil:
		return []string{remote.Clean(err.Error(), 300)}
	}
	booted, runs := s.booted()
	switch {
	case !runs:
		return []string{"rpm-ostree status does not tell which image runs"}
	case booted.Unlocked != "" && booted.Unlocked != "none":
		return []string{"the running image is unlocked (" + remote.Clean(booted.Unlocked, 40) + "): what was changed by hand would be lost"}
	}
	return nil
}

// simulated reads ostree_simulate. An image that waits for a reboot and is none of ours
// is somebody else's work: the plan would have named another former version.
func simulated(_ fact.Facts, w patch.Work, section linux.Section) linux.Transaction {
	if !section.OK() {
		return linux.Transaction{Refused: "rpm-ostree refuses: " + refusal(section)}
	}
	s, err := readStatus(section.Out)
	if err != nil {
		return linux.Transaction{Refused: remote.Clean(err.Error(), 300)}
	}
	if why := obstacle(s); why != "" {
		return linux.Transaction{Refused: why}
	}
	return change(s.Deployments[0].text(), w)
}

// change is what the work comes to where the next boot starts this image.
func change(next string, w patch.Work) linux.Transaction {
	var t linux.Transaction
	for _, u := range w.Install {
		switch {
		case u.Name != Name || !textForm.MatchString(u.To):
			t.Refused = fmt.Sprintf("not an image: %s %s", remote.Clean(u.Key(), 100), remote.Clean(u.To, 100))
		case order(next, u.To) == 0:
		case !w.Back && order(next, u.To) > 0:
			t.Refused = "the next boot starts " + short(next) + ", which is newer than " + short(u.To)
		default:
			t.Changes = append(t.Changes, patch.Update{Name: u.Name, Arch: u.Arch, From: next, To: u.To})
		}
	}
	return t
}

// refusal is the last thing that rpm-ostree said: its errors come last.
func refusal(s linux.Section) string {
	lines := remote.CleanLines(s.Err, 2000, 300)
	for _, line := range slices.Backward(lines) {
		if text, found := strings.CutPrefix(line, "error: "); found {
			return text
		}
	}
	return s.Why()
}

// due: the image that runs is not the one that the next boot starts.
func due(rep linux.Report) linux.Due {
	section := rep.Get("image")
	s, err := readStatus(section.Out)
	booted, runs := s.booted()
	if !section.OK() || err != nil || !runs {
		return linux.Due{Unclear: "which image runs can't be told: " + section.Why()}
	}
	if next := s.Deployments[0]; !next.Booted {
		return linux.Due{
			Reasons:  []string{fmt.Sprintf("image %s runs, %s is to run", short(booted.text()), short(next.text()))},
			Unbooted: fmt.Sprintf("image %s was to run, %s runs: did the boot fall back?", short(next.text()), short(booted.text())),
		}
	}
	return linux.Due{}
}
