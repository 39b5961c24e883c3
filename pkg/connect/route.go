package connect

import (
	"context"
	"net"
	"os/user"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/secret"
)

// endpoint is one SSH server with everything that is needed to log in to it.
type endpoint struct {
	label   string // "site/name" of a host
	site    string
	bastion string   // how a bastion was written; "" for a host
	address string   // host:port to dial
	name    string   // host:port as known_hosts knows it
	via     string   // key of the way to it; "" when dialled directly
	user    string   // whom to log in as
	pins    []string // "SHA256:…" fingerprints; any of them is right
	legacy  []string // old algorithms that the inventory allows, for a host alone
	login   login

	controlPath string // ssh_config's ControlPath, where the inventory asks for that
	hashKnown   bool   // HashKnownHosts
}

// login is which credentials an endpoint may be offered.
type login struct {
	password   secret.Ref
	key        string // from the inventory; nothing else is offered then
	passphrase secret.Ref
	identities []string // IdentityFile of ssh_config
	only       bool     // IdentitiesOnly: none of the agent's other keys
	// noIdentities is IdentityFile none: not even ssh's default keys.
	noIdentities bool
	certificates []string // CertificateFile of ssh_config
	agent        string   // IdentityAgent of ssh_config: "none", or a socket; "": the usual agent
}

const (
	stepConnect = "connect"
	stepBastion = "bastion"
)

func (e endpoint) step() string {
	if e.bastion != "" {
		return stepBastion
	}
	return stepConnect
}

// what begins the text of a fault with the server's name where the host's won't do.
func (e endpoint) what(text string) string {
	if e.bastion != "" {
		return "bastion " + e.bastion + ": " + text
	}
	return text
}

// pathKey tells apart equal addresses behind different bastions.
func (e endpoint) pathKey() string { return e.via + ">" + e.address }

// way is the chain of servers to a host.
type way struct {
	hops []endpoint
	host endpoint
}

func bastionKey(site string, chain []endpoint) string {
	parts := []string{"bastion " + site}
	for _, hop := range chain {
		parts = append(parts, hop.user+"@"+hop.address)
	}
	return strings.Join(parts, " ")
}

// route settles where a host is reached, as whom and through which bastions. What
// the inventory says wins; ssh_config fills the rest, asked for the inventory's
// address, or for the host's name where there is none.
func (f *Fleet) route(ctx context.Context, h inventory.Host, s inventory.Site) (way, error) {
	conf, err := f.config()
	if err != nil {
		return way{}, err
	}
	q := queryOf(h)
	found, err := conf.lookup(ctx, q)
	if err != nil {
		return way{}, gaveUp(ctx)
	}
	jumps, err := chain(h, s, found)
	if err != nil {
		return way{}, err
	}
	if found.refusal != nil && !overruled(h, len(jumps) > 0) {
		return way{}, found.refusal
	}
	hops, err := bastions(ctx, conf, h, jumps)
	if err != nil {
		return way{}, err
	}
	return joined(hops, hostEndpoint(h, q.name, found)), nil
}

// joined tells each server of the way behind which others it is.
func joined(hops []endpoint, host endpoint) way {
	w := way{host: host}
	for _, hop := range hops {
		hop.via = w.host.via
		w.hops = append(w.hops, hop)
		w.host.via = bastionKey(hop.site, w.hops)
	}
	return w
}

// queryOf is what a person would type to reach the host by hand.
func queryOf(h inventory.Host) query {
	q := query{name: h.Address, address: h.Address, user: h.User, master: h.ControlMaster == inventory.MasterFromConfig}
	if q.name == "" {
		q.name = h.ID.Name
	}
	if h.Port != 0 {
		q.port = strconv.Itoa(h.Port)
	}
	return q
}

// overruled: ssh_config holds something we can't honour about where to connect, but
// the inventory says all of that itself.
func overruled(h inventory.Host, jumps bool) bool {
	return h.Address != "" && h.Port != 0 && h.User != "" && (h.Jump != nil || jumps)
}

func chain(h inventory.Host, s inventory.Site, found settings) ([]string, error) {
	switch {
	case h.Jump != nil:
		return h.Jump, nil
	case s.Jump != nil:
		return s.Jump, nil
	case found.proxyCommand != "":
		return nil, proxyCommand("this host", "write ProxyJump instead, or set jump: in the inventory (jump: [] for none)")
	}
	return found.jump, nil
}

func proxyCommand(whom, hint string) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepConnect,
		What: "ssh_config sets ProxyCommand for " + whom + ", which patchring does not run", Hint: hint,
	}
}

func hostEndpoint(h inventory.Host, alias string, found settings) endpoint {
	e := endpointOf(alias, strconv.Itoa(h.Port), h.User, found)
	e.label, e.site, e.pins = h.ID.String(), h.ID.Site, h.HostKeys
	e.legacy = h.SSHLegacy
	c := h.Credentials
	e.login = loginOf(found)
	e.login.password, e.login.key, e.login.passphrase = c.Password, c.Key, c.Passphrase
	return e
}

func loginOf(found settings) login {
	return login{
		identities: found.identities, only: found.identitiesOnly, noIdentities: found.noIdentities,
		certificates: found.certificates, agent: found.agent,
	}
}

// endpointOf fills in what the inventory left open; port "0" and "" are open.
func endpointOf(alias, port, who string, found settings) endpoint {
	host := alias
	if found.hostName != "" {
		host = found.hostName
	}
	if port == "" || port == "0" {
		port = found.port
	}
	if port == "" {
		port = "22"
	}
	for _, next := range []string{found.user, localUser()} {
		if who == "" {
			who = next
		}
	}
	e := endpoint{address: net.JoinHostPort(host, port), user: who, controlPath: found.controlPath, hashKnown: found.hashKnown}
	e.name = e.address
	if found.alias != "" {
		e.name = net.JoinHostPort(found.alias, "22") // as OpenSSH: an alias stands without port
	}
	return e
}

func localUser() string {
	if me, err := user.Current(); err == nil {
		return me.Username
	}
	return "root"
}
