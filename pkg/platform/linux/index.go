package linux

import (
	_ "embed"
	"path"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed index.sh
var indexScript string

var _ platform.Indexer = Driver{}

// maxIndex bounds one file of an index. Fedora's largest list has 200 MB.
const maxIndex = 512 << 20

// Indexes asks the package manager's NAME_indexes, where it has one, for
// "repository<tab>kind<tab>name<tab>size<tab>path" lines.
func (d Driver) Indexes(f fact.Facts) remote.Command {
	return d.looks("indexes", f, patch.Work{}, indexScript)
}

// ReadIndexes reads the answer. Lines of another form, files of kinds that nobody asked
// for (a repository's own key!) and those that are too large are passed over: what they
// vouch for stays the host's word. A list that was cut is an error.
func (Driver) ReadIndexes(f fact.Facts, r remote.Result) ([]platform.IndexFile, error) {
	rep, trouble := WholeReport([]remote.Result{r})
	if trouble != "" {
		return nil, Refuse(f, "try again", "the repositories' indexes could not be looked at: %s", trouble)
	}
	if !rep.Has("indexes") {
		return nil, nil
	}
	section := rep.Get("indexes")
	if section.Status < 0 {
		return nil, Refuse(f, "", "the repositories' indexes could not be looked at: %s", section.Why())
	}
	var files []platform.IndexFile
	for _, line := range section.Lines() {
		if file, ok := readIndex(line); ok {
			files = append(files, file)
		}
	}
	return files, nil
}

func readIndex(line string) (platform.IndexFile, bool) {
	f := strings.Split(line, "\t")
	if len(f) != 5 {
		return platform.IndexFile{}, false
	}
	size, err := strconv.ParseInt(strings.TrimSpace(f[3]), 10, 64)
	if err != nil || size < 0 || size > maxIndex {
		return platform.IndexFile{}, false
	}
	file := platform.IndexFile{Repository: f[0], Kind: f[1], Name: f[2], Size: size, Path: f[4]}
	return file, isIndexKind(f[1]) && isPlain(f[0], 300) && isPlain(f[2], 500) && isInner(f[2]) && isPlain(f[4], 1000) && isIndexPath(f[4])
}

func isIndexKind(kind string) bool {
	switch kind {
	case "inrelease", "release", "release.gpg", "packages", "repomd", "repomd.asc", "primary", "updateinfo", "pacman.db", "pacman.sig":
		return true
	}
	return false
}

// isPlain: of a repository's name that a person chose: any letters, nothing that is not seen.
func isPlain(s string, most int) bool { return s != "" && len(s) <= most && remote.Clean(s, most) == s }

func isInner(name string) bool {
	return path.Clean(name) == name && name[0] != '/' && name != "." && name != ".." && !strings.HasPrefix(name, "../")
}

// isIndexPath: where package managers keep such files. Devices and /proc, that never end,
// lie elsewhere.
func isIndexPath(file string) bool {
	return path.Clean(file) == file && strings.HasPrefix(file, "/var/")
}
