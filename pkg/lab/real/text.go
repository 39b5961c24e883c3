//go:build linux

package real

import (
	"maps"
	"slices"
	"strings"
)

// tail is the end of a program's output, short enough for an error message.
func tail(out []byte) string {
	const most = 2000
	text := strings.TrimSpace(string(out))
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
