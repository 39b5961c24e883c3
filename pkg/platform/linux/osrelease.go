package linux

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// readOSRelease reads os-release(5): NAME=value lines with shell quoting, of which
// nothing is ever expanded. The last of a name counts, as it would in a shell.
func readOSRelease(text string) fact.OS {
	var os fact.OS
	for line := range strings.Lines(text) {
		name, raw, found := strings.Cut(strings.TrimSpace(line), "=")
		if !found {
			continue
		}
		value := remote.Clean(unquote(raw), 100)
		switch name {
		case "ID":
			os.ID = strings.ToLower(value)
		case "VERSION_ID":
			os.VersionID = value
		case "VERSION_CODENAME":
			os.Codename = value
		case "PRETTY_NAME":
			os.PrettyName = value
		case "ID_LIKE":
			os.Like = strings.Fields(strings.ToLower(value))
		}
	}
	return os
}

func unquote(raw string) string {
	if len(raw) >= 2 && (raw[0] == '"' || raw[0] == '\'') && raw[len(raw)-1] == raw[0] {
		quote := raw[0]
		raw = raw[1 : len(raw)-1]
		if quote == '\'' {
			return raw
		}
	}
	if !strings.Contains(raw, `\`) {
		return raw // a Replacer is dear, and hardly ever needed
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\$`, `$`, "\\`", "`", `\'`, `'`).Replace(raw)
}
