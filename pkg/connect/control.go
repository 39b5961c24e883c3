package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// The user's own OpenSSH master connection, instead of a login of ours: whatever ssh can do
// (Kerberos, PKCS#11, one-time codes, FIDO) was done by ssh, and its commands and files go
// through the socket of ControlPath (PROTOCOL.mux, section 9: proxy mode). The host key was
// judged by that ssh. To which host and as whom it is connected can't be told from here:
// the socket's path is all there is.

// wayTo settles the way to a host, and the master's socket where the inventory names one.
func (f *Fleet) wayTo(ctx context.Context, h inventory.Host, s inventory.Site) (way, string, error) {
	w, err := f.route(ctx, h, s)
	if h.ControlMaster == "" {
		return w, "", err
	}
	if err != nil { // of bastions and ProxyCommand, which the master has behind it
		h.Jump = []string{}
		if w, err = f.route(ctx, h, s); err != nil {
			return w, "", err
		}
	}
	if len(h.HostKeys) > 0 {
		return w, "", fault.Usagef("remove host_keys, or write control_master: none",
			"host_keys can't be checked over a master connection: its ssh has judged the key")
	}
	path, err := f.masterPath(h, w.host)
	return way{host: w.host}, path, err
}

// masterPath is the socket's path without tokens.
func (f *Fleet) masterPath(h inventory.Host, to endpoint) (string, error) {
	if h.ControlMaster == inventory.MasterFromConfig {
		if to.controlPath == "" {
			return "", fault.Usagef("write ControlPath there, or the socket's path in the inventory: control_master: ~/.ssh/%r@%h",
				"control_master: ssh_config, but ssh_config has no ControlPath for this host")
		}
		return checkMasterPath(inHome(to.controlPath, f.keys.home))
	}
	host, port, err := net.SplitHostPort(to.address)
	if err != nil {
		return "", fault.Usagef("correct address and port in the inventory", "not an address: %s", to.address)
	}
	path, err := expandMaster(h.ControlMaster, masterTokens{host: host, port: port, user: to.user, name: h.ID.Name})
	if err != nil {
		return "", err
	}
	return checkMasterPath(inHome(path, f.keys.home))
}

// masterTokens are what %h, %p, %r and %n stand for.
type masterTokens struct{ host, port, user, name string }

// expandMaster fills in the tokens. None of them may lead to another folder.
func expandMaster(pattern string, t masterTokens) (string, error) {
	for _, value := range []string{t.host, t.port, t.user, t.name} {
		if strings.ContainsAny(value, "/\x00") || value == ".." {
			return "", fault.Usagef("name the socket without tokens", "control_master: %q can't be part of a path", remote.Clean(value, 80))
		}
	}
	return strings.NewReplacer("%%", "%", "%h", t.host, "%p", t.port, "%r", t.user, "%n", t.name).Replace(pattern), nil
}

// maxMasterPath: longer ones don't fit into a socket's address (unix(7): 108 bytes with the
// NUL; 104 on BSD).
const maxMasterPath = 103

func checkMasterPath(path string) (string, error) {
	if !filepath.IsAbs(path) || len(path) > maxMasterPath {
		return "", fault.Usagef("use a short path, such as ~/.ssh/%C in ssh_config",
			"control_master: %s is not an absolute path of at most %d bytes", remote.Clean(path, peerText), maxMasterPath)
	}
	return filepath.Clean(path), nil
}

// ride uses the master's connection.
func (n *node) ride(ctx context.Context, c course) (*conn, error) {
	f := n.fleet
	if err := ownSocket(c.master); err != nil {
		return nil, masterFault(c, err)
	}
	ctx, leash := newLeash(ctx, f.opts.Timeout)
	defer leash.end()
	raw, err := (&net.Dialer{}).DialContext(ctx, "unix", c.master)
	if err != nil {
		return nil, masterFault(c, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	made, chans, reqs, err := ssh.NewControlClientConn(&framed{Conn: raw})
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		err = fmt.Errorf("the master did not answer within %s", leash.limit)
	case ctx.Err() != nil:
		err = gaveUp(ctx)
	}
	if err != nil {
		_ = raw.Close()
		return nil, masterFault(c, err)
	}
	f.say("hosts with control_master are reached over connections of your own ssh, which has judged their host keys; patchring has not")
	live := newConn(&masterConn{Conn: made}, f.opts.Keepalive)
	if !f.spawn(func() { live.serve(chans, reqs); n.ended(live, nil) }) {
		live.close()
		return nil, closedFault()
	}
	return live, nil
}

// masterFault says how to get a master.
func masterFault(c course, err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	what := "the master connection at " + c.master + ": " + remote.Clean(err.Error(), peerText)
	if errors.Is(err, fs.ErrNotExist) {
		what = "there is no master connection at " + c.master
	}
	host, port, _ := net.SplitHostPort(c.to.address)
	open := remote.Quote([]string{"ssh", "-fNM", "-S", c.master, "-p", port, c.to.user + "@" + host})
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Unreachable, Step: stepConnect, What: what,
		Hint: "log in by hand, then run the same command again: " + open,
	}
}
