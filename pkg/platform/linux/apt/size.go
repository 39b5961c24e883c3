package apt

import (
	"regexp"
	"strconv"
	"strings"
)

// uriForm: 'URI' name_version_arch.deb SIZE HASH. The file name is apt's own, with
// the version's colon as %3a.
var uriForm = regexp.MustCompile(`^'[^']*' ([^_\s]+)_([^_\s]+)_([^_\s]+)\.deb ([0-9]+)(?: |$)`)

// fileKey names a package file.
type fileKey struct{ name, version, arch string }

// readSizes reads `apt-get --print-uris`: bytes to download, by package. What lies in
// the cache already is not listed. The URIs may hold credentials and are dropped.
func readSizes(text string) map[fileKey]int64 {
	sizes := map[fileKey]int64{}
	for line := range strings.Lines(text) {
		var m []string
		if strings.HasPrefix(line, "'") {
			m = uriForm.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		}
		if m == nil {
			continue
		}
		if size, err := strconv.ParseInt(m[4], 10, 64); err == nil {
			sizes[fileKey{m[1], strings.ReplaceAll(m[2], "%3a", ":"), m[3]}] = size
		}
	}
	return sizes
}
