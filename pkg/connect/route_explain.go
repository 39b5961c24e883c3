package connect

import (
	"context"
	"net"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// Line is one thing that a connection would use, and what says so.
type Line struct {
	Name  string
	Value string // empty: nothing is said
	From  string // "inventory", "default", or the file:line of ssh_config
}

const (
	fromInventory = "inventory"
	fromDefault   = "default"
)

// Explain tells how a host would be reached and logged in to, without connecting. A
// host that can't be reached gives the error that Lease would give.
func (f *Fleet) Explain(ctx context.Context, h inventory.Host, s inventory.Site) ([]Line, error) {
	w, err := f.route(ctx, h, s)
	if err != nil {
		return nil, fault.On(err, h.ID.String(), stepConnect)
	}
	conf, err := f.config()
	if err != nil {
		return nil, err
	}
	found, err := conf.lookup(ctx, queryOf(h)) // known by now
	if err != nil {
		return nil, gaveUp(ctx)
	}
	return append(where(h, w, found), explainJump(h, s, w, found), explainKeys(h, found),
		listed("certificates", found.certificates, "certificatefile", found),
		listed("agent", nonEmpty(found.agent), "identityagent", found),
		listed("control_path", nonEmpty(found.controlPath), "controlpath", found),
	), nil
}

func where(h inventory.Host, w way, found settings) []Line {
	address, port, _ := net.SplitHostPort(w.host.address)
	return []Line{
		{"address", address, source(h.Address != "", "hostname", found)},
		{"port", port, source(h.Port != 0, "port", found)},
		{"user", w.host.user, source(h.User != "", "user", found)},
		{"known_hosts name", w.host.name, source(false, "hostkeyalias", found)},
	}
}

// source is what a value of the connection rests on.
func source(inventory bool, key string, found settings) string {
	switch {
	case inventory:
		return fromInventory
	case found.from[key] != "":
		return found.from[key]
	}
	return fromDefault
}

func explainJump(h inventory.Host, s inventory.Site, w way, found settings) Line {
	var hops []string
	for _, hop := range w.hops {
		hops = append(hops, hop.user+"@"+hop.address)
	}
	return Line{"jump", strings.Join(hops, " "), source(h.Jump != nil || s.Jump != nil, "proxyjump", found)}
}

func explainKeys(h inventory.Host, found settings) Line {
	switch {
	case h.Credentials.Key != "":
		return Line{"keys", h.Credentials.Key, fromInventory}
	case found.noIdentities:
		return Line{"keys", "none", found.from["identityfile"]}
	case !h.Credentials.Password.IsZero() && len(found.identities) == 0:
		return Line{"keys", "", fromInventory} // a password is what the inventory says
	}
	return listed("keys", found.identities, "identityfile", found)
}

func listed(name string, values []string, key string, found settings) Line {
	if len(values) == 0 {
		return Line{Name: name, From: fromDefault}
	}
	return Line{name, strings.Join(values, " "), source(false, key, found)}
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
