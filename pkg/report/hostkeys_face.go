package report

import (
	"path"
	"strings"
)

// face shows a line a key, then what a person has to do.
func (d HostKeys) face(brief bool) face {
	all := sheet{group: true, columns: []column{{head: "HOST", whole: true}, {head: "STATE", whole: true}, {head: "KEY", whole: true}, {head: "WHERE", least: 8}, {head: "FINGERPRINT", least: 50, prose: true}}}
	todo := sheet{title: "What to do", columns: []column{{head: "HOST", whole: true}, {head: "SEEN", least: 20, prose: true}, {head: "WHAT TO DO", least: 20, prose: true}}}
	for _, h := range d.Hosts {
		if h.Why != "" || h.Hint != "" {
			todo.rows = append(todo.rows, texts(h.Host, h.Why, h.Hint))
		}
		for _, note := range h.Notes {
			todo.rows = append(todo.rows, texts(h.Host, "it also told "+note+", which is not used", ""))
		}
		if brief && h.State == "ok" {
			continue
		}
		if len(h.Keys) == 0 {
			all.rows = append(all.rows, []cell{text(h.Host), hostKeysCell(h.State), text(""), text(""), text("")})
		}
		for _, k := range h.Keys {
			all.rows = append(all.rows, []cell{text(h.Host), hostKeysCell(k.State), text(shortKind(k.Type)), text(shortPlace(k.Where)), text(k.Fingerprint)})
		}
	}
	return face{title: "host keys of " + count(d.Totals.Hosts, "host") + d.Totals.words(), sheets: []sheet{all, todo}}
}

// hostKeysWord is a state as people read it.
func hostKeysWord(state string) string { return strings.ReplaceAll(state, "_", " ") }

func hostKeysCell(state string) cell {
	said := hostKeysWord(clean(state))
	switch state {
	case "ok", "recorded", "confirmed":
		return cell{"+ " + said, good}
	case "changed", "revoked", "failed":
		return cell{"x " + said, bad}
	case "unreachable":
		return cell{"! " + said, bad}
	case "gone", "removed":
		return cell{"- " + said, faint}
	case "proven":
		return cell{". " + said, warn}
	}
	return cell{"? " + said, warn}
}

// shortPlace leaves out the folders before a file's own; the other formats have them.
func shortPlace(where string) string {
	dir, file := path.Split(where)
	if dir = path.Base(dir); dir == "." || dir == "/" {
		return where
	}
	return path.Join(dir, file)
}

// shortKind is the name that ssh-keygen gives to a kind of key.
func shortKind(kind string) string {
	switch {
	case kind == "ssh-ed25519":
		return "ED25519"
	case kind == "ssh-rsa":
		return "RSA"
	case strings.HasPrefix(kind, "ecdsa-sha2-nistp"):
		return "ECDSA-" + strings.TrimPrefix(kind, "ecdsa-sha2-nistp")
	}
	return kind
}

func (d HostKeys) records() records {
	r := records{head: []string{"host", "host_state", "name", "type", "fingerprint", "state", "where", "why"}}
	for _, h := range d.Hosts {
		if len(h.Keys) == 0 {
			r.rows = append(r.rows, []string{h.Host, h.State, h.Name, "", "", "", "", h.Why})
		}
		for _, k := range h.Keys {
			r.rows = append(r.rows, []string{h.Host, h.State, h.Name, k.Type, k.Fingerprint, k.State, k.Where, h.Why})
		}
	}
	return r
}

// suites: a host is a testcase.
func (d HostKeys) suites() []suite {
	s := suite{name: "hostkeys"}
	for _, h := range d.Hosts {
		result := "fail"
		switch h.State {
		case "ok", "other_kind", "confirmed", "recorded":
			result = "ok"
		case "unknown", "untold", "failed", "unreachable":
			result = "unknown"
		}
		s.cases = append(s.cases, resultCase("patchring.hostkeys."+h.Host, "host_key", result, h.State+": "+h.Why))
	}
	return []suite{s}
}
