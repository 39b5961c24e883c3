package connect

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// settings is what ssh_config says of one host, as far as patchring understands it.
// Empty: it says nothing.
type settings struct {
	hostName       string
	port           string
	user           string
	alias          string // HostKeyAlias
	identities     []string
	noIdentities   bool // IdentityFile is said, and none is left: not ssh's default keys either
	certificates   []string
	identitiesOnly bool
	agent          string // IdentityAgent: "none", or a socket's path
	controlPath    string
	hashKnown      bool
	jump           []string
	proxyCommand   string
	refusal        error             // something about where to connect that can't be honoured
	from           map[string]string // keyword to file:line
}

// settle turns a reading into settings. Its doubts are tokens that can't be expanded.
func settle(q query, r reading, me person) (settings, []doubt) {
	at := func(key string) string { return r.first[key].text }
	s := settings{
		port: at("port"), user: at("user"), alias: strings.ToLower(at("hostkeyalias")), proxyCommand: none(at("proxycommand")),
		identitiesOnly: at("identitiesonly") == "yes", hashKnown: at("hashknownhosts") == "yes", from: map[string]string{},
	}
	for key, v := range r.first {
		s.from[key] = v.where
	}
	if q.address == "" {
		name, _ := expand(at("hostname"), map[byte]string{'h': q.name}, nil)
		s.hostName = canonical(name)
	}
	if jump := none(at("proxyjump")); jump != "" {
		s.jump = strings.Split(jump, ",")
	}
	t := &settler{q: q, r: r, me: me, s: &s, tokens: me.tokens(q, effective(q, s, me))}
	t.paths()
	return s, t.doubts
}

// effective fills in what ssh would use where nothing is said.
func effective(q query, s settings, me person) settings {
	if q.address != "" {
		s.hostName = canonical(q.address)
	}
	for _, d := range []struct {
		text *string
		or   string
	}{{&s.hostName, canonical(q.name)}, {&s.port, "22"}, {&s.user, me.name}} {
		if *d.text == "" {
			*d.text = d.or
		}
	}
	return s
}

// canonical is how ssh writes a name (in lower case) and an address (the short form).
func canonical(name string) string {
	if address, err := netip.ParseAddr(name); err == nil {
		return address.String()
	}
	return strings.ToLower(name)
}

func none(value string) string {
	if strings.EqualFold(value, "none") {
		return ""
	}
	return value
}

// settler expands the names of files.
type settler struct {
	q      query
	r      reading
	me     person
	s      *settings
	tokens map[byte]string
	doubts []doubt
}

func (t *settler) paths() {
	t.s.identities = t.files("identityfile")
	t.s.noIdentities = len(t.r.many["identityfile"]) > 0 && len(t.s.identities) == 0
	t.s.certificates = t.files("certificatefile")
	t.s.agent = t.agent(t.r.first["identityagent"])
	if t.q.master {
		t.s.controlPath = none(t.socket("ControlPath", t.r.first["controlpath"]))
	}
}

// files expands what adds up; what it can't expand it leaves out.
func (t *settler) files(key string) []string {
	var out []string
	for _, v := range t.r.many[key] {
		if none(v.text) == "" {
			continue
		}
		full, ok := t.me.path(v.text, t.tokens)
		if !ok {
			t.doubts = append(t.doubts, doubt{where: v.where, said: key + " " + v.text, deaf: true})
			continue
		}
		out = append(out, full)
		if t.s.from[key] == "" {
			t.s.from[key] = v.where
		}
	}
	return out
}

// agent is the socket of IdentityAgent, which has three ways to name a variable.
func (t *settler) agent(v value) string {
	switch {
	case v.text == "" || v.text == "SSH_AUTH_SOCK":
		return ""
	case none(v.text) == "":
		return "none"
	case strings.HasPrefix(v.text, "$") && !strings.HasPrefix(v.text, "${"):
		if socket, ok := t.me.env(v.text[1:]); ok {
			return socket
		}
		return "none"
	}
	return t.socket("IdentityAgent", v)
}

func (t *settler) socket(key string, v value) string {
	if t.r.told || v.text == "" {
		return v.text
	}
	full, ok := t.me.path(v.text, t.tokens)
	if !ok {
		t.doubts = append(t.doubts, doubt{where: v.where, said: key + " " + v.text})
		return ""
	}
	return full
}

// undecided is why it can't be known where or as whom ssh_config would connect.
func undecided(doubts []doubt, why string) error {
	i := slices.IndexFunc(doubts, func(d doubt) bool { return d.decides })
	if i < 0 {
		return nil
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepConnect, What: doubts[i].text(),
		Hint: "it may change where to connect: set address, port, user and jump in the inventory, or pass --ssh-config none" + why,
	}
}

// differ names what two answers for one name disagree about.
func differ(q query, me person, a, b settings) string {
	a, b = effective(q, a, me), effective(q, b, me)
	for _, d := range []struct{ key, one, other string }{
		{"HostName", a.hostName, b.hostName},
		{"Port", a.port, b.port},
		{"User", a.user, b.user},
		{"HostKeyAlias", a.alias, b.alias},
		{"ProxyJump", plainJump(a.jump), plainJump(b.jump)},
		{"ProxyCommand", a.proxyCommand, b.proxyCommand},
		{"IdentityFile", fmt.Sprint(a.identities, a.noIdentities), fmt.Sprint(b.identities, b.noIdentities)},
		{"CertificateFile", fmt.Sprint(a.certificates), fmt.Sprint(b.certificates)},
		{"IdentitiesOnly", strconv.FormatBool(a.identitiesOnly), strconv.FormatBool(b.identitiesOnly)},
		{"IdentityAgent", a.agent, b.agent},
		{"ControlPath", a.controlPath, b.controlPath},
		{"HashKnownHosts", strconv.FormatBool(a.hashKnown), strconv.FormatBool(b.hashKnown)},
	} {
		if d.one != d.other {
			return fmt.Sprintf("%s: %q and %q", d.key, d.one, d.other)
		}
	}
	return ""
}

// plainJump levels the ways to write the same bastions.
func plainJump(jump []string) string {
	var out []string
	for _, hop := range jump {
		who, host, port, err := parseHop(hop)
		if err != nil {
			out = append(out, hop)
			continue
		}
		out = append(out, fmt.Sprintf("%q@%q:%q", who, host, port))
	}
	return strings.Join(out, ",")
}
