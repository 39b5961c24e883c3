package evidence

import (
	"time"

	"github.com/patchring/patchring/pkg/sshsig"
)

// A signature does not say when it was made. That of a manifest was made between the last
// record and now, and it holds if at any time between them its key was allowed to make it.

// lookBetween verifies a signature that was made at an unknown time between two; late: its
// key is not valid any more.
func (c Check) lookBetween(armored, message []byte, namespace string, from, to time.Time) (s signature, late bool, err error) {
	s, err = c.look(armored, message, namespace, "", from)
	if err == nil || c.Allowed == nil {
		return s, false, err
	}
	bare, parsed := sshsig.Check(armored, message, namespace)
	if parsed != nil {
		return s, false, err
	}
	if now, wrong := c.look(armored, message, namespace, "", to); wrong == nil {
		return now, false, nil
	}
	for _, at := range between(bare, from, to) {
		if _, no := c.Allowed.Could(bare.Key, namespace, "", at); no != nil {
			continue
		}
		if s, no := c.look(armored, message, namespace, "", at); no == nil {
			return s, true, nil
		}
	}
	return s, false, err
}

// How finely a time between is looked for: keys are valid for hours or days, bundles are
// verified years later.
const (
	fine, fineFor     = time.Hour, 14 * 24 * time.Hour
	coarse, coarseFor = 24 * time.Hour, 20 * 366 * 24 * time.Hour
)

// between gives times to try: those at which a certificate begins, and many others.
func between(s sshsig.Signature, from, to time.Time) []time.Time {
	var all []time.Time
	if begins := s.Begins(); begins.After(from) && begins.Before(to) {
		all = append(all, begins)
	}
	step := fine
	for at := from.Add(step); at.Before(to) && at.Sub(from) < coarseFor; at = at.Add(step) {
		all = append(all, at)
		if at.Sub(from) >= fineFor {
			step = coarse
		}
	}
	return all
}
