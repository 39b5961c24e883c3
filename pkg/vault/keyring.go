package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// ringTime is how long a keyring may take: a person may have to unlock it in a window.
const ringTime = time.Minute

// ring is a keyring of the desktop.
type ring interface {
	Get(service, account string) (string, error)
}

// system is the keyring of this machine: the Secret Service on Linux and BSD, the
// Keychain of macOS, the Credential Manager of Windows.
type system struct{}

var errNoRing = errors.New("no keyring is reachable: there is no session bus")

func (system) Get(service, account string) (string, error) {
	if !reachable() {
		return "", errNoRing
	}
	return keyring.Get(service, account) //nolint:wrapcheck // fromRing says where
}

// reachable tells whether there is a session bus. Asked without one, the library would
// start a bus of its own, which holds no secrets and outlives us.
func reachable() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus"))
	return os.Getenv("XDG_RUNTIME_DIR") != "" && err == nil
}

// fromRing asks the keyring. Its library knows no context: a question that is never
// answered is left behind when the time is over.
func (v *Vault) fromRing(ctx context.Context, ref secret.Ref) (secret.Secret, error) {
	at := strings.LastIndexByte(ref.Target(), '/')
	if at <= 0 || at == len(ref.Target())-1 {
		return secret.Secret{}, fault.Usagef("write keyring:SERVICE/ACCOUNT, such as keyring:patchring/web-admin", "%s: no service and account", ref)
	}
	service, account := ref.Target()[:at], ref.Target()[at+1:]
	ctx, cancel := context.WithTimeoutCause(ctx, ringTime, errRingTime)
	defer cancel()
	answer := make(chan ringAnswer, 1)
	go func() {
		value, err := v.ring.Get(service, account)
		answer <- ringAnswer{[]byte(value), err}
	}()
	select {
	case <-ctx.Done():
		return secret.Secret{}, ringFault(ref, service, account, context.Cause(ctx))
	case got := <-answer:
		if got.err != nil {
			return secret.Secret{}, ringFault(ref, service, account, got.err)
		}
		return valueOf(ref, got.raw)
	}
}

type ringAnswer struct {
	raw []byte
	err error
}

var errRingTime = errors.New("the keyring gave no answer within a minute: it may be locked, and wait for its password in a window")

// ringFault says what to do for each way in which a keyring has nothing to give.
func ringFault(ref secret.Ref, service, account string, err error) error {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return fault.Usagef(storeHint(service, account), "%s: nothing is kept there", ref)
	case errors.Is(err, errNoRing), errors.Is(err, keyring.ErrUnsupportedPlatform):
		return fault.Usagef("run it within the desktop's session; in a CI job or over SSH write env:, file: or exec: instead", "%s: %v", ref, errNoRing)
	case errors.Is(err, errRingTime), errors.Is(err, context.Canceled):
		return fault.Usagef("unlock the keyring, then run it again", "%s: %v", ref, err)
	case strings.Contains(err.Error(), "unlock"), strings.Contains(err.Error(), "IsLocked"), strings.Contains(err.Error(), "prompt"):
		return fault.Usagef("unlock the keyring, then run it again", "%s: the keyring is locked", ref)
	}
	return fault.Usagef("see whether the desktop's own tool reads it: "+lookHint(service, account), "%s: the keyring fails: %s", ref, remote.Clean(err.Error(), 200))
}

func storeHint(service, account string) string {
	if runtime.GOOS == "darwin" {
		return "put it there: " + remote.Quote([]string{"security", "add-generic-password", "-s", service, "-a", account, "-w"})
	}
	return "put it there: " + remote.Quote([]string{"secret-tool", "store", "--label=patchring", "service", service, "username", account})
}

func lookHint(service, account string) string {
	if runtime.GOOS == "darwin" {
		return remote.Quote([]string{"security", "find-generic-password", "-s", service, "-a", account})
	}
	return remote.Quote([]string{"secret-tool", "search", "service", service, "username", account})
}
