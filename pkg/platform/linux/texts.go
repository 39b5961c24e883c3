package linux

import "strings"

// Texts are all scripts as they are sent, by a name for each: for the tests that hold every
// manager's to the shells of hosts.
func (all Managers) Texts() map[string]string {
	texts := map[string]string{
		"probe":         strings.Join(all.probeScripts(), ""),
		"lock_look":     frameScript + lockLookScript,
		"lock":          lockScript,
		"mark_look":     frameScript + markerScript + markLookScript,
		"mark":          markScript,
		"grub":          grubScript + grubActScript,
		"services":      servicesText(),
		"services_look": frameScript + servicesScript + servicesLookScript,
		"sent":          frameScript + commonScript + sentScript,
		"sent_look":     frameScript + commonScript + sentLookScript,
		"snapshot":      frameScript + commonScript + snapshotScript,
	}
	for _, m := range all {
		if m.Script == "" {
			continue
		}
		for name, text := range generic() {
			texts[name+" "+m.Name] = frameScript + commonScript + m.text() + text
		}
		texts["jobs "+m.Name] = m.jobText()
		texts["reboot "+m.Name] = frameScript + commonScript + m.text() + rebootScript
	}
	return texts
}

// generic are the scripts that call a manager's functions.
func generic() map[string]string {
	return map[string]string{
		"resolve": resolveScript, "preflight": preflightScript, "after": afterScript,
		"reboot_look": rebootLookScript, "grub_look": grubScript + grubLookScript, "staged": stagedScript, "health": healthScript,
		"indexes": indexScript,
	}
}
