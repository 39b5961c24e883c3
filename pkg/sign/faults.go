package sign

import (
	"errors"

	"github.com/patchring/patchring/pkg/fault"
)

var (
	errTooLong  = errors.New("nobody answered in time")
	errOtherKey = errors.New("another key signed")
	errRefused  = errors.New("the SSH agent refused to sign: somebody said no, nobody touched the key, or the agent is locked or may use the key for logins alone")
	errNotHeld  = errors.New("the SSH agent no longer holds the key")
	errNoAgent  = errors.New("there is no SSH agent (SSH_AUTH_SOCK is not set)")
)

// failed says with which key it went wrong. Faults that know better stay as they are.
func (k *Key) failed(err error) error {
	if errors.As(err, new(*fault.Error)) {
		return err
	}
	e := &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, Step: "sign", What: "key " + k.Fingerprint(), Err: err}
	switch {
	case errors.Is(err, errTooLong):
		e.Kind, e.Hint = fault.Ask, "run it again, and touch or confirm the key when asked"
	case errors.Is(err, errRefused):
		e.Kind, e.Hint = fault.Ask, "run it again, or add the key anew without a destination: ssh-add KEY"
	case errors.Is(err, errNotHeld):
		e.Kind, e.Hint = fault.Ask, "add it again: ssh-add KEY"
	}
	return e
}

// unusable is a mistake with the key itself, found before anything is signed.
func unusable(path string, err error, hint string) error {
	if errors.As(err, new(*fault.Error)) {
		return err
	}
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "can't sign with " + path, Err: err, Hint: hint}
}
