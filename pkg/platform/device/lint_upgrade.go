package device

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/version"
)

// upgrades checks that a definition which upgrades can also prove what it did.
func (l *linter) upgrades() {
	d := &l.p.Definition
	if _, ok := version.Scheme(d.Order); d.Order != "" && !ok {
		l.errorf("order", document.DidYouMean(d.Order, version.Schemes(), "known: "+strings.Join(version.Schemes(), ", ")), "nobody knows the order %q", d.Order)
	}
	if len(d.Upgrade) == 0 {
		if d.Why == "" {
			l.errorf("why", "say why it is only detected, or write `upgrade`", "without `upgrade`, `why` is needed")
		}
		return
	}
	for _, need := range []struct {
		name  string
		given bool
		why   string
	}{
		{"facts.members", len(d.Facts.Members)+len(d.Facts.Serial) > 0, "a device is known by its serial numbers"},
		{"boot_time", len(d.BootTime) > 0, "a new boot is the evidence of a reload"},
		{"hash", len(d.Hash) > 0 || d.Unhashed != "", "what arrived is checked on the device; where it can't be, `unhashed` says why"},
		{"space", len(d.Space) > 0, "room is checked before anything is copied"},
		{"transfer", len(d.Transfer) > 0, "the image must get there"},
		{"save", len(d.Save) > 0, "the configuration is kept before anything is changed"},
		{"session.prompt", d.Session.Prompt != "", "nothing can be typed without knowing the prompt"},
		{"order", d.Order != "", "an upgrade must be told from a downgrade"},
	} {
		if !need.given {
			l.errorf(need.name, need.why, "with `upgrade`, `%s` is needed", need.name)
		}
	}
	if len(d.Hash) > 0 && d.Unhashed != "" {
		l.errorf("unhashed", "leave out one of the two", "`hash` says how digests are computed")
	}
	for i := range d.Upgrade {
		l.upgrade(fmt.Sprintf("upgrade[%d]", i), &d.Upgrade[i])
	}
	l.transfers()
}

func (l *linter) upgrade(path string, u *Upgrade) {
	if u.Net.Kind == "timer" {
		if u.Workflow != "activate_commit" {
			l.errorf(path+".net.kind", "only activate_commit arms a timer and reads it back", "no timer with %s", u.Workflow)
		}
		if u.Net.Cmd == "" || u.Net.Re == "" {
			l.errorf(path+".net", "a net nobody can read back is none", "a timer needs `cmd` and `re`")
		}
	} else if u.Net.Cmd != "" || u.Net.Re != "" || u.Net.Off != "" {
		l.errorf(path+".net", "write kind: timer, or leave these out", "`cmd`, `re` and `off_re` belong to a timer alone")
	}
	for _, e := range u.Commands.Entries {
		l.noConfirm(path+".commands."+e.Key, u, e.Key, e.Value.Cmd)
	}
	for _, e := range u.Values.Entries {
		l.noConfirm(path+".values."+e.Key, u, e.Key, "")
	}
}

// noConfirm refuses what promises that a device goes back by itself, where no timer does.
func (l *linter) noConfirm(path string, u *Upgrade, key, cmd string) {
	promises := strings.Contains(key, "confirm") || strings.Contains(key, "auto_abort") ||
		strings.Contains(cmd, "auto-abort") || strings.Contains(cmd, "{minutes}")
	if promises && u.Net.Kind != "timer" {
		l.errorf(path, "declare net: {kind: timer}, or leave it out", "nothing goes back by itself here: the net is %q", u.Net.Kind)
	}
}

func (l *linter) transfers() {
	for i, t := range l.p.Definition.Transfer {
		at := fmt.Sprintf("transfer[%d]", i)
		switch {
		case t.How == "pull" && !strings.Contains(t.Cmd, "{url}"):
			l.errorf(at+".cmd", "copy {url} {path}", "a pull needs a command with {url}")
		case t.How != "pull" && t.Dir == "":
			l.errorf(at+".dir", "flash: or /var/tmp/", "where do pushed files go?")
		}
	}
}
