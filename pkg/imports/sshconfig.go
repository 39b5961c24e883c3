package imports

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// FromSSHConfig takes the concrete Host entries of an OpenSSH client configuration
// over: HostName, User, Port, ProxyJump and IdentityFile. As in ssh, the first value
// holds where a name stands in several entries. Wildcards, Match and Include become
// notes, as does whatever else can't be taken over.
func FromSSHConfig(src []byte) (Draft, error) {
	if err := readable(src); err != nil {
		return Draft{}, err
	}
	c := &sshConfig{model: &model{origin: "ssh_config"}, byName: map[string]*host{}}
	for number, line := range strings.Split(string(src), "\n") {
		c.line(number+1, line)
	}
	var hosts []host
	for _, name := range c.order {
		if h := c.byName[name]; c.wanted(h) {
			hosts = append(hosts, *h)
		}
	}
	if len(hosts) > maxHosts {
		return Draft{}, fault.Usagef("split it", "more than %d hosts", maxHosts)
	}
	c.model.sites = []site{{hosts: hosts}}
	return c.model.draft()
}

// readable refuses what is no text.
func readable(src []byte) error {
	switch {
	case len(src) > maxBytes:
		return fault.Usagef("split it", "the file is larger than %d MiB", maxBytes>>20)
	case !utf8.Valid(src):
		return fault.Usagef("save it as UTF-8", "the file is not UTF-8 text")
	}
	return nil
}

// sshConfig is the state of reading one, line by line.
type sshConfig struct {
	model   *model
	byName  map[string]*host
	order   []string
	current []*host         // the hosts that the entry is about
	skipped bool            // the entry was told in a note already
	told    map[string]bool // keywords noted for the current entry
}

func (c *sshConfig) line(number int, line string) {
	keyword, value := cutKeyword(line)
	switch strings.ToLower(keyword) {
	case "":
	case "host":
		c.begin(number, value)
	case "match":
		c.current, c.skipped = nil, true
		c.model.note("line %d: Match %s is not taken over: its conditions are ssh's own", number, value)
	case "include":
		c.model.note("line %d: Include %s is not followed: import that file too", number, value)
	default:
		c.set(number, keyword, value)
	}
}

// cutKeyword splits "Keyword value" or "Keyword=value", without quotes and comments.
func cutKeyword(line string) (keyword, value string) {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return "", ""
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return line, ""
	}
	value = strings.TrimSpace(line[end:])
	value = strings.TrimSpace(strings.TrimPrefix(value, "="))
	if inner, ok := strings.CutPrefix(value, `"`); ok && strings.Count(value, `"`) == 2 {
		value = strings.TrimSuffix(inner, `"`)
	}
	return line[:end], value
}

// begin starts a Host entry.
func (c *sshConfig) begin(number int, value string) {
	c.current, c.skipped, c.told = nil, false, map[string]bool{}
	for name := range strings.FieldsSeq(value) {
		name = strings.Trim(name, `"`)
		switch {
		case strings.HasPrefix(name, "#"):
			return
		case strings.ContainsAny(name, "*?!"):
			c.model.note("line %d: Host %s stands for several hosts: its settings are not copied", number, name)
			c.skipped = true
		case inventory.CheckName(name) != nil:
			c.model.note("line %d: Host %s can't be a host's name here: left out", number, name)
			c.skipped = true
		default:
			c.current = append(c.current, c.host(number, name))
		}
	}
}

func (c *sshConfig) host(number int, name string) *host {
	if h, ok := c.byName[name]; ok {
		return h
	}
	h := &host{name: name, line: number}
	c.byName[name] = h
	c.order = append(c.order, name)
	return h
}

// set takes a setting over to the hosts of the entry.
func (c *sshConfig) set(number int, keyword, value string) {
	if len(c.current) == 0 {
		if !c.skipped {
			c.skipped = true
			c.model.note("line %d: settings for all hosts (%s …) are not copied", number, keyword)
		}
		return
	}
	for _, h := range c.current {
		if err := c.apply(h, strings.ToLower(keyword), value); err != nil {
			c.model.note("line %d: %s of %s is left out: %v", number, keyword, h.name, err)
		}
	}
}

func (c *sshConfig) apply(h *host, keyword, value string) error {
	switch keyword {
	case "hostname":
		return setAddress(h, strings.ReplaceAll(value, "%h", h.name))
	case "user":
		return setOnce(&h.user, value, inventory.CheckUser)
	case "port":
		return setPort(h, value)
	case "proxyjump":
		return setJump(h, value)
	case "identityfile":
		return setKey(h, value)
	case "proxycommand", "certificatefile", "identityagent", "hostkeyalias", "userknownhostsfile", "stricthostkeychecking":
		return errors.New("this setting can't be taken over; check how the host is reached")
	}
	return nil // forwarding, keepalives and the like mean nothing to patchring
}

// setOnce takes the first good value.
func setOnce(to *string, value string, check func(string) error) error {
	if err := check(value); err != nil {
		return err
	}
	if *to == "" {
		*to = value
	}
	return nil
}

func setAddress(h *host, value string) error {
	if strings.Contains(value, "%") {
		return fmt.Errorf("%s holds an expansion of ssh", value)
	}
	if h.address == "" && value == h.name {
		return nil
	}
	return setOnce(&h.address, value, inventory.CheckAddress)
}

func setPort(h *host, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 65535 {
		return errors.New("not a port")
	}
	if h.port == 0 {
		h.port = n
	}
	return nil
}

// setJump reads ssh's list of bastions; "none" is a direct connection.
func setJump(h *host, value string) error {
	if len(h.jump) > 0 || h.direct {
		return nil
	}
	if strings.EqualFold(value, "none") {
		h.direct = true
		return nil
	}
	var chain []string
	for hop := range strings.SplitSeq(value, ",") {
		hop = strings.TrimPrefix(strings.TrimSpace(hop), "ssh://")
		if err := inventory.CheckHop(hop); err != nil {
			return err
		}
		if through(hop, h) {
			return errors.New("the host would be reached through itself")
		}
		chain = append(chain, hop)
	}
	h.jump = chain
	return nil
}

// through tells whether a bastion names the host itself.
func through(hop string, h *host) bool {
	where := hop[strings.LastIndexByte(hop, '@')+1:]
	name := where
	if inner, rest, ok := strings.Cut(strings.TrimPrefix(where, "["), "]"); ok && (rest == "" || rest[0] == ':') {
		name = inner // [::1]:22
	} else if strings.Count(where, ":") == 1 {
		name, _, _ = strings.Cut(where, ":")
	}
	return slices.Contains(h.names(), name) || name != "" && slices.Contains(h.addresses(), name)
}

func setKey(h *host, value string) error {
	if strings.ContainsAny(value, "%$") || strings.EqualFold(value, "none") {
		return fmt.Errorf("%s holds an expansion of ssh, or names no file", value)
	}
	return setOnce(&h.key, value, inventory.CheckKey)
}

// wanted leaves out hosts that are no machines to patch, such as code forges.
func (c *sshConfig) wanted(h *host) bool {
	forges := []string{"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "ssh.dev.azure.com"}
	if h.user == "git" || slices.Contains(forges, h.name) || slices.Contains(forges, h.address) {
		c.model.note("line %d: %s looks like a code forge: left out", h.line, h.name)
		return false
	}
	return true
}
