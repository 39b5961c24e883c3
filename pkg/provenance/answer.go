package provenance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/repository"
)

const maxReason = 300

var (
	errUnlisted  = errors.New("no signed index has it")
	errAmbiguous = errors.New("signed indexes name different files of one version")
	errNoDigest  = errors.New("the signed index has no SHA-256 of it")
)

// answer looks each version up in all lists that count.
func (v *visit) answer(want []patch.Proven) (known []patch.Proven, notes []string) {
	left := map[error][]patch.Proven{}
	for _, p := range want {
		found, err := find(v.signed, p)
		if err != nil {
			left[err] = append(left[err], p)
			continue
		}
		known = append(known, found)
	}
	for _, reason := range [...]error{errUnlisted, errAmbiguous, errNoDigest} {
		if len(left[reason]) == 0 {
			continue
		}
		why := reason.Error()
		if errors.Is(reason, errUnlisted) && len(v.problems) > 0 {
			why += "; " + some(v.problems, "; ")
		}
		notes = append(notes, hostsWord(left[reason], why))
	}
	return known, notes
}

// find gives what the signed lists say of one version. Where two differ, none of them
// is believed: which one the host took its file from is only its word.
func find(lists []signed, p patch.Proven) (patch.Proven, error) {
	result, reason := patch.Proven{}, errUnlisted
	for _, l := range lists {
		e, err := l.index.Find(p.Name, p.Arch, p.Version)
		switch {
		case errors.Is(err, repository.ErrAmbiguous), err == nil && result.Digest != "" && e.Digest != "" && e.Digest != result.Digest:
			return patch.Proven{}, errAmbiguous
		case err != nil, result.Digest != "":
		case e.Digest == "":
			reason = errNoDigest
		default:
			result = proven(p, e, l)
		}
	}
	if result.Digest == "" {
		return result, reason
	}
	return result, nil
}

func proven(p patch.Proven, e repository.Entry, l signed) patch.Proven {
	by := l.index.Signer
	p = p.Bare()
	p.Digest, p.Size, p.File = e.Digest, e.Size, e.File
	p.Repository, p.Assurance = l.repository, patch.AssuranceSigned
	p.Signer = remote.Clean(strings.TrimSpace(by.Fingerprint+" "+by.UserID), 300)
	return p
}

// hostsWord is the note for versions whose digest nobody but the host vouches for.
func hostsWord(of []patch.Proven, why string) string {
	var names []string
	for _, p := range of {
		names = append(names, remote.Clean(p.Name+" "+p.Version, 150))
	}
	return fmt.Sprintf("the digest of %s is only the host's word: %s", some(names, ", "), why)
}

// some are the first few.
func some(all []string, between string) string {
	const most = 5
	if len(all) <= most {
		return strings.Join(all, between)
	}
	return fmt.Sprintf("%s%sand %d more", strings.Join(all[:most], between), between, len(all)-most)
}
