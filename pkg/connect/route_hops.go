package connect

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// maxHops bounds a chain of bastions that ssh_config strings together.
const maxHops = 8

// bastions settles each bastion. As with ssh -J, what ssh_config says of how to reach
// a bastion holds for the first one: the others are reached through the one before.
func bastions(ctx context.Context, conf *sshConfig, h inventory.Host, jumps []string) ([]endpoint, error) {
	var hops []endpoint
	for i := len(jumps) - 1; i >= 0; i-- {
		hop, found, err := hopEndpoint(ctx, h, jumps[i], conf)
		if err != nil {
			return nil, err
		}
		hops = append(hops, hop)
		if len(hops) > maxHops {
			return nil, loops(jumps[i])
		}
		if i > 0 || len(found.jump) == 0 && found.proxyCommand == "" {
			continue
		}
		if found.proxyCommand != "" {
			return nil, proxyCommand("the bastion "+jumps[i], "write ProxyJump instead, or ProxyCommand none for the bastion")
		}
		jumps, i = found.jump, len(found.jump)
	}
	slices.Reverse(hops)
	return hops, nil
}

func loops(hop string) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepBastion,
		What: fmt.Sprintf("bastion %s: ssh_config leads through more than %d bastions, or round in a circle", hop, maxHops),
		Hint: "write a Host block with ProxyJump none for the first bastion, above the one with ProxyJump",
	}
}

// hopEndpoint settles a bastion. It is offered the host's key but never the host's
// password: that would hand it to another machine.
func hopEndpoint(ctx context.Context, h inventory.Host, text string, conf *sshConfig) (endpoint, settings, error) {
	who, host, port, err := parseHop(text)
	if err != nil {
		return endpoint{}, settings{}, err
	}
	found, err := conf.lookup(ctx, query{name: host, user: who, port: port})
	if err != nil {
		return endpoint{}, settings{}, gaveUp(ctx)
	}
	if found.refusal != nil {
		return endpoint{}, settings{}, found.refusal
	}
	e := endpointOf(host, port, who, found)
	e.site, e.bastion = h.ID.Site, text
	e.login = loginOf(found)
	e.login.passphrase = h.Credentials.Passphrase
	if h.Credentials.Key != "" {
		e.login.identities, e.login.noIdentities = append([]string{h.Credentials.Key}, found.identities...), false
	}
	return e, found, nil
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
