package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// peerText is how much of what a peer or the system said goes into a fault.
const peerText = 200

func closedFault() error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Unreachable, Err: errClosed}
}

// gaveUp is the fault of a caller whose context ended before there was a connection.
func gaveUp(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, errClosed) {
		return closedFault()
	}
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Unreachable, What: "gave up connecting", Err: err,
		Hint: "nothing was sent to the host; run the same command again",
	}
}

// byHand is the command that shows the same with OpenSSH.
func byHand(to endpoint) string {
	host, port, _ := net.SplitHostPort(to.address)
	argv := []string{"ssh", "-v", "-p", port, to.user + "@" + host}
	return remote.Quote(argv)
}

// unreachable explains why there was no connection at all.
func unreachable(ctx context.Context, to endpoint, limit time.Duration, err error) error {
	if errors.Is(context.Cause(ctx), errTimeout) {
		return &fault.Error{
			Kind: fault.Retry, Code: fault.Unreachable, Step: to.step(),
			What: to.what(fmt.Sprintf("%s: no answer within %s", to.address, limit)),
			Hint: "is it switched on, and is port " + portOf(to.address) + " open from here? Try: " + byHand(to),
		}
	}
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	what, hint := reason(to, err)
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Unreachable, Step: to.step(), What: to.what(to.address + ": " + what), Hint: hint,
	}
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// reason puts the causes that people meet into words.
func reason(to endpoint, err error) (what, hint string) {
	hint = "try: " + byHand(to)
	if refusal, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
		return refusedByBastion(refusal, hint)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name " + dns.Name + " is not known", "set address: in the inventory, or correct the name"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", "is sshd running there, and is port " + portOf(to.address) + " right? On the host: systemctl status ssh"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the host", "check the network from here, or set jump: in the inventory"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer", hint
	}
	return remote.Clean(err.Error(), peerText), hint
}

func refusedByBastion(refusal *ssh.OpenChannelError, hint string) (string, string) {
	if refusal.Reason == ssh.Prohibited {
		return "the bastion refuses to pass connections on", "AllowTcpForwarding and PermitOpen in the bastion's sshd_config"
	}
	return "the bastion could not reach it: " + remote.Clean(refusal.Message, peerText), "from the bastion, " + hint
}

// failure is everything that is known of a handshake that failed.
type failure struct {
	w     *wire
	login *loginFlow
	keys  *keyChecker
}

// explain turns the library's error into the one fault that fits.
func (x failure) explain(err error) error {
	to := x.login.to
	ended := x.login.leash.ctx
	switch {
	case x.keys.verdict != nil:
		return x.keys.verdict
	case x.login.fault != nil && !errors.Is(context.Cause(ended), errTimeout):
		return x.login.fault
	case errors.Is(context.Cause(ended), errTimeout):
		return x.timedOut()
	case ended.Err() != nil:
		return gaveUp(ended)
	}
	if negotiation := (*ssh.AlgorithmNegotiationError)(nil); errors.As(err, &negotiation) {
		return x.noCommon(negotiation)
	}
	if x.login.offered {
		return x.cutShort(err)
	}
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Unreachable, Step: to.step(),
		What: to.what(to.address + ": " + x.stage() + ": " + x.words(strings.TrimPrefix(err.Error(), "ssh: handshake failed: "))),
		Hint: "the server or something before it hangs up early (MaxStartups, PerSourcePenalties, fail2ban, a firewall); try: " + byHand(to),
	}
}

// words are what the peer or the library said of the end, without what it was told.
func (x failure) words(text string) string {
	if excuse := x.w.excuse(); excuse != "" {
		text += ` (it said "` + excuse + `")`
	}
	return x.login.peer(text, peerText)
}

// peer is what a server said, fit to be shown.
func (l *loginFlow) peer(text string, limit int) string { return remote.Clean(l.untold(text), limit) }

// untold is a text without what its server was told before.
func (l *loginFlow) untold(text string) string {
	for _, answer := range l.gave {
		if value := answer.Reveal(); len(value) >= leastPart {
			text = strings.ReplaceAll(text, value, mask)
		}
	}
	return l.fleet.hide(text)
}

// stage says how far the handshake came.
func (x failure) stage() string {
	switch {
	case x.login.offered:
		return "during the login"
	case x.keys.seen != nil:
		return "before the login"
	case x.w.heard.Load():
		return "during the key exchange"
	}
	return "connected, but it said nothing"
}

func (x failure) timedOut() error {
	to, limit := x.login.to, x.login.leash.limit
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Unreachable, Step: to.step(),
		What: to.what(fmt.Sprintf("%s: %s; no progress within %s", to.address, x.stage(), limit)),
		Hint: "an overloaded or half-dead host answers like this; try: " + byHand(to),
	}
}

func (x failure) noCommon(err *ssh.AlgorithmNegotiationError) error {
	if verdict := x.keys.noCommonKind(); verdict != nil {
		return verdict
	}
	return noAlgorithm(x.login.to, err)
}

// cutShort: the server hung up in the middle of a login.
func (x failure) cutShort(err error) error {
	to := x.login.to
	if text := strings.ToLower(err.Error()); strings.Contains(text, "too many authentication failures") {
		return x.login.refused(nil)
	}
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Unreachable, Step: to.step(),
		What: to.what(fmt.Sprintf("%s: hung up during the login of %s: %s", to.address, to.user, x.words(err.Error()))),
		Hint: "a host that is still booting does that (/run/nologin), and one whose account is locked; try: " + byHand(to),
	}
}

// early: dropped before any credential was offered, and not by us.
func (l *loginFlow) early(err error) bool {
	return !l.offered && l.fault == nil && l.leash.ctx.Err() == nil && dropped(err)
}

// refused is the fault of a login that no credential was good for.
func (l *loginFlow) refused(allowed []string) error {
	to := l.to
	what := fmt.Sprintf("login as %s refused", to.user)
	switch {
	case len(l.tried) > 0:
		what += "; tried " + strings.Join(l.tried, ", ")
	case !to.login.password.IsZero() && !l.passDone && !l.talked:
		what += "; the inventory gives a password, and the server takes none"
	default:
		what += "; there is no credential to try"
	}
	if len(allowed) > 0 {
		what += "; the server takes " + remote.Clean(strings.Join(allowed, ", "), peerText)
	}
	if l.asked != "" {
		what += fmt.Sprintf("; it asked %q, which was not answered", l.asked)
	}
	what = strings.Join(append([]string{what}, l.notes[:min(len(l.notes), maxOffered)]...), "; ")
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, Step: to.step(), What: to.what(what), Hint: l.loginHint()}
}

func (l *loginFlow) loginHint() string {
	if l.to.bastion != "" {
		return "a bastion takes the agent's keys, IdentityFile of ssh_config and the host's key, never its password; try: " + byHand(l.to)
	}
	return "set user and credentials (key, password) in the inventory, or load the key: ssh-add; try: " + byHand(l.to)
}

// keyFault: the key that the inventory names can't be used.
func keyFault(to endpoint, path string, err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return fault.On(e, "", to.step())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fault.On(fault.Usagef("correct key: in the inventory", "%s", to.what("there is no key "+path)), "", to.step())
	}
	e := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, Step: to.step(), What: to.what("key " + path), Err: err, Hint: "try: ssh-keygen -y -f " + path}
	if errors.Is(err, errEncrypted) {
		e.Hint = "load it: ssh-add " + path + " — or set credentials: {passphrase: …} in the inventory"
	}
	return e
}
