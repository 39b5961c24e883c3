package inventory

import (
	"strings"
	"testing"
)

func TestTrust(t *testing.T) {
	inv := parse(t, `version: 1
sites:
  hq:
    trust:
      allowed_signers: keys/allowed
      signed: [approvals, plans, checkpoints]
      four_eyes: true
      publish: {file: out.jsonl, url: "https://log.example/x", git: /srv/log}
    hosts: {a: {}}
  lax:
    hosts: {a: {}}
`)
	want := Trust{
		AllowedSigners: "keys/allowed", Approvals: true, Plans: true, Checkpoints: true, FourEyes: true,
		Publish: Publish{File: "out.jsonl", URL: "https://log.example/x", Git: "/srv/log"},
	}
	if got := inv.Sites["hq"].Trust; got != want {
		t.Errorf("got %+v", got)
	}
	if got := inv.Sites["lax"].Trust; got != (Trust{}) {
		t.Errorf("a site takes over another's: %+v", got)
	}
	one := parse(t, "version: 1\nhosts: {a: {}}\ntrust: {allowed_signers: x, signed: [checkpoints]}\n")
	if got := one.Sites["default"].Trust; got != (Trust{AllowedSigners: "x", Checkpoints: true}) {
		t.Errorf("at the top: %+v", got)
	}
}

// What could not be kept is an error, with its place.
func TestTrustRefuses(t *testing.T) {
	for trust, want := range map[string]string{
		"{signed: [approvals]}":                                                         "allowed_signers",
		"{allowed_signers: x, signed: [everything]}":                                    "one of approvals, plans, checkpoints",
		"{allowed_signers: x, four_eyes: true}":                                         "names are only typed",
		"{allowed_signers: x, signed: [approvals], four_eyes: true}":                    "names are only typed",
		"{allowed_signers: x, publish: {file: y}}":                                      "only signed checkpoints are published",
		"{allowed_signers: x, signed: [checkpoints], publish: {url: \"ftp://x/y\"}}":    "not an address to post to",
		"{allowed_signers: x, signed: [checkpoints], publish: {url: \"http://u:p@x\"}}": "can't hold a password",
		"{allowed_signers: x, revoked: y}":                                              "revoked",
	} {
		_, err := Parse("inv.yaml", []byte("version: 1\nhosts: {a: {}}\ntrust: "+trust+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "inv.yaml:3:") {
			t.Errorf("%s: %v, want %q", trust, err, want)
		}
	}
}

func TestControlMaster(t *testing.T) {
	inv := parse(t, `version: 1
defaults: {control_master: ~/.ssh/cm-%r@%h:%p}
hosts: {a: {}, b: {control_master: none}, c: {control_master: ssh_config}}
`)
	for name, want := range map[string]string{"a": "~/.ssh/cm-%r@%h:%p", "b": "", "c": MasterFromConfig} {
		if got := find(t, inv, name).ControlMaster; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for path, want := range map[string]string{"relative/path": "not the path", "/tmp/%C": "other tokens", "/tmp/%": "other tokens", "/a%hb%d": "other tokens"} {
		_, err := Parse("inv.yaml", []byte("version: 1\nhosts: {a: {control_master: "+path+"}}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// Pins that nobody would check are an error, wherever each of the two is said.
func TestControlMasterWithPins(t *testing.T) {
	_, err := Parse("inv.yaml", []byte("version: 1\ndefaults: {control_master: ~/.ssh/cm}\nhosts:\n  a: {host_keys: [\"SHA256:"+strings.Repeat("a", 43)+"\"]}\n  b: {}\n"))
	if err == nil || !strings.Contains(err.Error(), "inv.yaml:4:") || !strings.Contains(err.Error(), "pins host_keys") {
		t.Errorf("got %v", err)
	}
}
