package rollout

import (
	"errors"
	"fmt"
	"time"
)

// Who vouches for people: a signature proves a name, a typed name proves nothing.

// Voucher verifies the signature of an approval, against whoever may sign at that time.
type Voucher func(a Approved, at time.Time) error

// Trust sets who verifies signatures. Without it none counts as good.
func (s *State) Trust(v Voucher) { s.voucher, s.vouches = v, map[Approved]vouch{} }

// vouch is what the voucher said of one approval, and when.
type vouch struct {
	good bool
	at   time.Time
}

// vouchedFor is how long the voucher's word holds: a key may run out meanwhile.
const vouchedFor = time.Minute

// vouched tells whether the signature is good for all that the approval says: whoever writes
// the journal can put one signature under another word.
func (s *State) vouched(a Approved, now time.Time) bool {
	if a.Signature == "" || s.voucher == nil {
		return false
	}
	a.Authenticated = false // what it says of itself is nothing
	last, known := s.vouches[a]
	if age := now.Sub(last.at); !known || age < 0 || age > vouchedFor {
		last = vouch{s.voucher(a, now) == nil, now}
		s.vouches[a] = last
	}
	return last.good
}

// counts: the approval is as good as this rollout demands.
func (s *State) counts(a Approved) bool {
	// Whoever started it may bring along what somebody else has signed, not what they typed.
	if !a.Authenticated && (s.opened.Trust.Approvals || a.By == s.starter) {
		return false
	}
	return s.secondPair(a) == nil
}

// secondPair holds the four-eyes rule: who started the rollout is known by the key that
// made its first checkpoint.
func (s *State) secondPair(a Approved) error {
	switch {
	case !s.opened.Trust.FourEyes:
		return nil
	case s.starterKey == "":
		return errors.New("whoever started this rollout has not signed that yet: run it with --sign-key, then approve")
	case a.Key == s.starterKey, a.As == s.starterAs:
		return fmt.Errorf("%s started this rollout, and can't approve it", s.starterName())
	}
	return nil
}

func (s *State) starterName() string {
	if s.starterAs != "" {
		return s.starterAs
	}
	return s.starter
}

// samePerson: by the name that is claimed, by who typed it, or by the key. One operator may
// bring the signed words of several people; what nobody signed counts by who typed it.
func (a Approved) samePerson(b Approved) bool {
	if a.Authenticated && b.Authenticated {
		return a.As == b.As || a.Key == b.Key
	}
	return a.As == b.As || a.By == b.By
}

func (a Approved) standing() string {
	if a.Authenticated {
		return "signed"
	}
	return "unauthenticated"
}
