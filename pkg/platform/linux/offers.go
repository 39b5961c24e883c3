package linux

import (
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// offers fills in which versions can be had, where the query asked for them.
func (r *Reader) offers() {
	if !r.Report.Has("available") {
		return
	}
	offers, files, unsure := readOffers(r.Report)
	r.Facts.Offers, r.Facts.Files, r.Facts.OffersKnown = offers, files, unsure == ""
	if unsure != "" {
		r.Problem("offers", "%s", unsure)
	}
}

// readOffers reads what the repositories have and what is kept on the host; unsure says
// why not all of it is known. A package that no repository has is no error.
func readOffers(rep Report) (offers []fact.Offer, files []fact.PackageFile, unsure string) {
	available, kept := rep.Get("available"), rep.Get("files")
	for _, line := range available.Lines() {
		f := strings.Split(line, "\t")
		if len(f) != 4 || !IsName(f[0]) || !IsVersion(f[2]) || f[1] != "" && !IsArch(f[1]) {
			unsure = "not understood: " + remote.Clean(line, 100)
			continue
		}
		offers = append(offers, fact.Offer{Name: f[0], Arch: f[1], Version: NoEpochZero(f[2]), Repository: remote.Clean(f[3], 200)})
	}
	if available.Status < 0 {
		unsure = "which versions can be had: " + available.Why()
	}
	files, err := readFiles(kept)
	if err != "" {
		unsure = err
	}
	return offers, files, unsure
}

// maxFile bounds the size of a package's file.
const maxFile = 8 << 30

// readFiles reads "digest size name arch version path" lines.
func readFiles(s Section) (files []fact.PackageFile, wrong string) {
	if s.Status < 0 {
		wrong = "the package files on the host: " + s.Why()
	}
	for _, line := range s.Lines() {
		f := strings.Split(line, "\t")
		if len(f) != 6 {
			wrong = "not understood: " + remote.Clean(line, 100)
			continue
		}
		digest, err := patch.ParseDigest("sha256:" + f[0])
		size, err2 := strconv.ParseInt(strings.TrimSpace(f[1]), 10, 64)
		if err != nil || err2 != nil || size < 0 || size > maxFile || !IsName(f[2]) || !IsArch(f[3]) || !IsVersion(f[4]) || !isPath(f[5]) {
			wrong = "not understood: " + remote.Clean(line, 100)
			continue
		}
		files = append(files, fact.PackageFile{Name: f[2], Arch: f[3], Version: NoEpochZero(f[4]), Path: f[5], Digest: digest, Size: size})
	}
	return files, wrong
}
