package connect

import (
	"fmt"
	"net"
	"net/netip"
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
}

// login is which credentials an endpoint may be offered.
type login struct {
	password   secret.Ref
	key        string // from the inventory; nothing else is offered then
	passphrase secret.Ref
	identities []string // IdentityFile of ssh_config
	only       bool     // IdentitiesOnly: none of the agent's other keys
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
func (f *Fleet) route(h inventory.Host, s inventory.Site) (way, error) {
	conf, err := f.config()
	if err != nil {
		return way{}, err
	}
	alias := h.Address
	if alias == "" {
		alias = h.ID.Name
	}
	found, err := conf.lookup(alias, h.Address == "" && alias == h.ID.Name)
	if err != nil {
		return way{}, err
	}
	jumps, err := chain(h, s, found)
	if err != nil {
		return way{}, err
	}
	w := way{host: hostEndpoint(h, alias, found)}
	for _, jump := range jumps {
		hop, err := hopEndpoint(h, jump, conf)
		if err != nil {
			return way{}, err
		}
		hop.via = w.host.via
		w.hops = append(w.hops, hop)
		w.host.via = bastionKey(h.ID.Site, w.hops)
	}
	if found.refusal != nil && !overruled(h, len(jumps) > 0) {
		return way{}, found.refusal
	}
	return w, nil
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
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepConnect,
			What: "ssh_config sets ProxyCommand for this host, which patchring does not run",
			Hint: "write ProxyJump instead, or set jump: in the inventory (jump: [] for none)",
		}
	}
	return found.jump, nil
}

func hostEndpoint(h inventory.Host, alias string, found settings) endpoint {
	e := endpointOf(alias, strconv.Itoa(h.Port), h.User, found)
	e.label, e.site, e.pins = h.ID.String(), h.ID.Site, h.HostKeys
	e.legacy = h.SSHLegacy
	c := h.Credentials
	e.login = login{
		password: c.Password, key: c.Key, passphrase: c.Passphrase,
		identities: found.identities, only: found.identitiesOnly,
	}
	return e
}

// hopEndpoint settles a bastion. It is offered the host's key but never the host's
// password: that would hand it to another machine.
func hopEndpoint(h inventory.Host, text string, conf *sshConfig) (endpoint, error) {
	who, host, port, err := parseHop(text)
	if err != nil {
		return endpoint{}, err
	}
	found, err := conf.lookup(host, true)
	if err != nil {
		return endpoint{}, err
	}
	if found.refusal != nil {
		return endpoint{}, found.refusal
	}
	e := endpointOf(host, port, who, found)
	e.site, e.bastion = h.ID.Site, text
	e.login = login{
		key: "", passphrase: h.Credentials.Passphrase,
		identities: found.identities, only: found.identitiesOnly,
	}
	if h.Credentials.Key != "" {
		e.login.identities = append([]string{h.Credentials.Key}, found.identities...)
	}
	return e, nil
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
	e := endpoint{address: net.JoinHostPort(host, port), user: who}
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

// parseHop reads [user@]host[:port]; an IPv6 address stands in brackets.
func parseHop(text string) (who, host, port string, err error) {
	rest := text
	if i := strings.LastIndex(text, "@"); i >= 0 {
		who, rest = text[:i], text[i+1:]
		if who == "" {
			return "", "", "", badHop(text)
		}
	}
	host = rest
	if strings.HasPrefix(rest, "[") || strings.Count(rest, ":") == 1 {
		host, port = cutPort(rest)
	}
	if !isHostName(host) || strings.ContainsAny(who, " \t\r\n,/\x00") || !isPort(port) {
		return "", "", "", badHop(text)
	}
	return who, host, port, nil
}

// isHostName is loose about names, but lets nothing pass for an option, a list or a URL.
// A zone (fe80::1%eth0) may hold anything in netip's eyes; here it follows the names.
func isHostName(host string) bool {
	if host == "" || strings.HasPrefix(host, "-") || strings.ContainsAny(host, " \t\r\n,/[]\x00") {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil || !strings.Contains(host, ":")
}

func isPort(port string) bool {
	number, err := strconv.ParseUint(port, 10, 16)
	return port == "" || (err == nil && number > 0)
}

func cutPort(text string) (host, port string) {
	if !strings.HasPrefix(text, "[") {
		host, port, _ = strings.Cut(text, ":")
		if port == "" {
			return "", ""
		}
		return host, port
	}
	host, rest, closed := strings.Cut(text[1:], "]")
	port, hasPort := strings.CutPrefix(rest, ":")
	if !closed || (rest != "" && (!hasPort || port == "")) {
		return "", ""
	}
	return host, port
}

func badHop(text string) error {
	return fault.Usagef("write [user@]host[:port], with an IPv6 address in brackets: ops@[2001:db8::1]:22",
		"not a bastion: %s", fmt.Sprintf("%q", text))
}
