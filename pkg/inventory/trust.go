package inventory

import (
	"net/url"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
)

// Trust is whose signatures a site takes, and what must bear one. The zero value asks for
// nothing.
type Trust struct {
	// AllowedSigners is the path of a file in OpenSSH's format, as written; relative to the
	// inventory. Its namespaces option says what a key may sign.
	AllowedSigners string
	// Approvals, Plans and Checkpoints must be signed by a key of that file.
	Approvals, Plans, Checkpoints bool
	// FourEyes: neither the name nor the key of whoever started a rollout may approve it.
	FourEyes bool
	// Publish is where signed checkpoints go beside the state folder; each may be empty.
	Publish Publish
}

// Publish names places off the machine, or at least outside of the state folder.
type Publish struct {
	File string // a line is appended to it
	URL  string // it gets an HTTP POST
	Git  string // a working tree in which a commit is made
}

// Any tells whether a checkpoint goes anywhere.
func (p Publish) Any() bool { return p != Publish{} }

type trustYAML struct {
	Allowed  document.Value[string]                   `yaml:"allowed_signers" doc:"file in the format of ssh-keygen(1), ALLOWED SIGNERS: who may sign what" flags:"required"`
	Signed   document.Value[[]document.Value[signed]] `yaml:"signed" doc:"what must be signed" enum:"approvals|plans|checkpoints"`
	FourEyes document.Value[bool]                     `yaml:"four_eyes" doc:"whoever started a rollout can't approve it, by name or by key; approvals and checkpoints must be signed for that"`
	Publish  document.Value[publishYAML]              `yaml:"publish" doc:"where signed checkpoints go as well: {file: PATH}, {url: https://...}, {git: DIR}"`
}

type publishYAML struct {
	File document.Value[string]      `yaml:"file" doc:"a line is appended for each checkpoint"`
	URL  document.Value[publishLink] `yaml:"url" doc:"each checkpoint is posted there"`
	Git  document.Value[string]      `yaml:"git" doc:"working tree in which each checkpoint is committed (nothing is pushed)"`
}

// signed is one kind of thing that must bear a signature.
type signed string

func (s *signed) UnmarshalText(b []byte) error {
	*s = signed(b)
	switch *s {
	case "approvals", "plans", "checkpoints":
		return nil
	}
	return fault.Usagef("write approvals, plans or checkpoints", "patchring can't demand a signature for that")
}

// Schema names the words.
func (signed) Schema() map[string]any {
	return map[string]any{"type": "string", "enum": []string{"approvals", "plans", "checkpoints"}}
}

// publishLink is an address without a password in it.
type publishLink string

func (p *publishLink) UnmarshalText(b []byte) error {
	*p = publishLink(b)
	u, err := url.Parse(string(b))
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return fault.Usagef("write https://host/path", "not an address to post to")
	case u.User != nil:
		return fault.Usagef("let the receiver know this machine by other means", "an address here can't hold a password")
	}
	return nil
}

// trust reads a site's trust, and refuses what could not be kept.
func (l *loader) trust(y document.Value[trustYAML]) Trust {
	t := Trust{AllowedSigners: y.V.Allowed.V, FourEyes: y.V.FourEyes.V}
	for _, s := range y.V.Signed.V {
		t.Approvals = t.Approvals || s.V == "approvals"
		t.Plans = t.Plans || s.V == "plans"
		t.Checkpoints = t.Checkpoints || s.V == "checkpoints"
	}
	p := y.V.Publish.V
	t.Publish = Publish{File: p.File.V, URL: string(p.URL.V), Git: p.Git.V}
	if t.FourEyes && (!t.Approvals || !t.Checkpoints) {
		l.file.Errorf(y.V.FourEyes.At, "write signed: [approvals, checkpoints] beside it", "four_eyes can't be kept where names are only typed")
	}
	if t.Publish.Any() && !t.Checkpoints {
		l.file.Errorf(y.V.Publish.At, "write signed: [checkpoints] beside it", "only signed checkpoints are published")
	}
	return t
}

// MasterFromConfig as Settings.ControlMaster: what ControlPath in ssh_config says.
const MasterFromConfig = "ssh_config"

// masterPath is the path of a master's socket.
type masterPath string

func (m *masterPath) UnmarshalText(b []byte) error {
	*m = masterPath(b)
	for _, part := range strings.Split(string(b), "%")[1:] {
		if part == "" || !strings.ContainsRune("hprn", rune(part[0])) {
			return fault.Usagef("%h is the host, %p its port, %r the user, %n the name in the inventory", "other tokens than %%h, %%p, %%r and %%n are not known here")
		}
	}
	if s := string(*m); s != MasterFromConfig && s != "none" && !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "~/") {
		return fault.Usagef("write a path that begins with / or ~/, ssh_config, or none", "not the path of a socket")
	}
	return nil
}

func (m masterPath) setting() string {
	if m == "none" {
		return ""
	}
	return string(m)
}

// Schema lets more through; UnmarshalText is stricter.
func (masterPath) Schema() map[string]any { return pattern(`^(ssh_config|none|~?/.*)$`) }
