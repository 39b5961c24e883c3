package apt

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// listTroubles judges the package lists on the host by the names of their files and by
// what the signed ones say of their end: which have expired, and which nobody has signed.
// What is old or unsigned is told and stops nothing: what is installed is known by its digest.
func listTroubles(files, valid []string, now time.Time) []string {
	var found []string
	for _, line := range valid {
		file, text, ok := strings.Cut(line, ":Valid-Until: ")
		end, err := readDate(text)
		if ok && err == nil && !now.IsZero() && end.Before(now) {
			found = append(found, fmt.Sprintf("the package lists of %s have expired: they were valid until %s", repositoryOf(file), end.Format("2 Jan 2006 15:04 MST")))
		}
	}
	for _, repository := range unsigned(files) {
		found = append(found, "the package lists of "+repository+" are not signed")
	}
	return found[:min(len(found), 20)]
}

// readDate reads a date as Release files have it.
func readDate(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC1123, strings.TrimSpace(text))
	if err != nil {
		at, err = time.Parse(time.RFC1123Z, strings.TrimSpace(text))
	}
	return at.UTC(), err
}

// unsigned are the repositories of which there are packages and no signature. apt keeps
// a signature only where it has verified it.
func unsigned(files []string) []string {
	var signed, bare []string
	for _, file := range files {
		if of, ok := strings.CutSuffix(file, "_InRelease"); ok {
			signed = append(signed, of+"_")
		}
		if of, ok := strings.CutSuffix(file, "_Release.gpg"); ok {
			signed = append(signed, of+"_")
		}
	}
	for _, file := range files {
		belongs := func(of string) bool { return strings.HasPrefix(file, of) }
		of, _, isPackages := strings.Cut(file, "_Packages")
		if isPackages && !slices.ContainsFunc(signed, belongs) {
			bare = append(bare, repositoryOf(of))
		}
	}
	slices.Sort(bare)
	return slices.Compact(bare)
}

// repositoryOf turns the name of a list's file into the address that it is made of.
func repositoryOf(file string) string {
	for _, end := range []string{"_InRelease", "_Release"} {
		file = strings.TrimSuffix(file, end)
	}
	if of, _, found := strings.Cut(file, "_binary-"); found {
		file = of
	}
	return remote.Clean(strings.NewReplacer("_", "/", "%5f", "_").Replace(file), 150)
}
