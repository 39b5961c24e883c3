package inventory

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/secret"
)

// setting is one thing that every level may say.
type setting struct {
	name string
	at   func(*commonYAML) document.Pos // zero: not said
	text func(*commonYAML) string       // for comparison and for people; references, never secrets
	put  func(*Settings, *commonYAML)
}

// one makes a setting from the field that says it and the place where it goes.
func one[T any](name string, from func(*commonYAML) document.Value[T], put func(*Settings, T)) setting {
	return setting{
		name: name,
		at:   func(c *commonYAML) document.Pos { return from(c).At },
		text: func(c *commonYAML) string { return fmt.Sprint(from(c).V) },
		put:  func(s *Settings, c *commonYAML) { put(s, from(c).V) },
	}
}

// credential makes a setting from a reference.
func credential(name string, from func(*credentialsYAML) document.Value[ref], put func(*Credentials, secret.Ref)) setting {
	return one("credentials."+name,
		func(c *commonYAML) document.Value[ref] { return from(&c.Credentials.V) },
		func(s *Settings, r ref) { put(&s.Credentials, r.Ref) })
}

// settings lists all of them, in the order of `config explain`. Labels are apart,
// because each label is a setting of its own, and so is the address, which only a
// host has.
func settings() []setting {
	return append([]setting{
		one("port", func(c *commonYAML) document.Value[int] { return c.Port }, func(s *Settings, v int) { s.Port = v }),
		one("user", func(c *commonYAML) document.Value[user] { return c.User }, func(s *Settings, v user) { s.User = string(v) }),
		one("become", func(c *commonYAML) document.Value[Become] { return c.Become }, func(s *Settings, v Become) { s.Become = v }),
		jumpSetting(),
		hostKeysSetting(),
		one("platform", func(c *commonYAML) document.Value[platformName] { return c.Platform }, func(s *Settings, v platformName) { s.Platform = fact.Platform(v) }),
		one("class", func(c *commonYAML) document.Value[fact.Class] { return c.Class }, func(s *Settings, v fact.Class) { s.Class = v }),
		one("criticality", func(c *commonYAML) document.Value[string] { return c.Criticality }, func(s *Settings, v string) { s.Criticality = v }),
		one("exposure", func(c *commonYAML) document.Value[string] { return c.Exposure }, func(s *Settings, v string) { s.Exposure = v }),
		one("unit", func(c *commonYAML) document.Value[unitName] { return c.Unit }, func(s *Settings, v unitName) { s.Unit = string(v) }),
		viaSetting(),
		listSetting("snapshots", func(c *commonYAML) document.Value[[]document.Value[archive]] { return c.Snapshots }, func(s *Settings, v []string) { s.Snapshots = v }),
		listSetting("keyrings", func(c *commonYAML) document.Value[[]document.Value[keyringPath]] { return c.Keyrings }, func(s *Settings, v []string) { s.Keyrings = v }),
		one("reboot_within", func(c *commonYAML) document.Value[time.Duration] { return c.RebootTime }, func(s *Settings, v time.Duration) { s.RebootWithin = v }),
		listSetting("ssh_legacy", func(c *commonYAML) document.Value[[]document.Value[legacy]] { return c.SSHLegacy }, func(s *Settings, v []string) { s.SSHLegacy = v }),
		one("control_master", func(c *commonYAML) document.Value[masterPath] { return c.Master }, func(s *Settings, v masterPath) { s.ControlMaster = v.setting() }),
		one("serve", func(c *commonYAML) document.Value[serving] { return c.Serve }, func(s *Settings, v serving) { s.Serve = v.AddrPort }),
	}, credentialSettings()...)
}

func credentialSettings() []setting {
	return []setting{
		credential("password", func(c *credentialsYAML) document.Value[ref] { return c.Password }, func(c *Credentials, r secret.Ref) { c.Password = r }),
		one("credentials.key", func(c *commonYAML) document.Value[keyPath] { return c.Credentials.V.Key }, func(s *Settings, v keyPath) { s.Credentials.Key = string(v) }),
		credential("passphrase", func(c *credentialsYAML) document.Value[ref] { return c.Passphrase }, func(c *Credentials, r secret.Ref) { c.Passphrase = r }),
		credential("become", func(c *credentialsYAML) document.Value[ref] { return c.Become }, func(c *Credentials, r secret.Ref) { c.Become = r }),
		credential("enable", func(c *credentialsYAML) document.Value[ref] { return c.Enable }, func(c *Credentials, r secret.Ref) { c.Enable = r }),
	}
}

// listSetting makes a setting of a list: the nearest list counts, whole.
func listSetting[T ~string](name string, from func(*commonYAML) document.Value[[]document.Value[T]], put func(*Settings, []string)) setting {
	return setting{
		name: name,
		at:   func(c *commonYAML) document.Pos { return from(c).At },
		text: func(c *commonYAML) string { return list(texts(from(c))) },
		put:  func(s *Settings, c *commonYAML) { put(s, texts(from(c))) },
	}
}

func jumpSetting() setting {
	return listSetting("jump", func(c *commonYAML) document.Value[[]document.Value[hop]] { return c.Jump }, func(s *Settings, v []string) { s.Jump = v })
}

func viaSetting() setting {
	return listSetting("via", func(c *commonYAML) document.Value[[]document.Value[string]] { return c.Via }, func(s *Settings, v []string) { s.Via = v })
}

func hostKeysSetting() setting {
	return listSetting("host_keys", func(c *commonYAML) document.Value[[]document.Value[fingerprint]] { return c.HostKeys }, func(s *Settings, v []string) { s.HostKeys = v })
}

// hops is nil where nothing is said, and empty where `[]` is.
func hops(v document.Value[[]document.Value[hop]]) []string { return texts(v) }

func texts[T ~string](v document.Value[[]document.Value[T]]) []string {
	if !v.Set() {
		return nil
	}
	made := make([]string, 0, len(v.V))
	for _, one := range v.V {
		made = append(made, string(one.V))
	}
	return made
}

func list(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	return strings.Join(items, ", ")
}
