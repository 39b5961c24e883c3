package linux

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// indexed is what a host answers with these lines.
func indexed(lines ...string) remote.Result {
	text := "\n" + opening + "aa\n@aa begin indexes\n" + strings.Join(lines, "\n") + "\n\n@aa status 0\n\n@aa end indexes\n\n@aa whole\n"
	return remote.Result{Ending: remote.Exited, Out: []byte(text)}
}

func TestReadIndexes(t *testing.T) {
	got, err := sample().ReadIndexes(fact.Facts{}, indexed(
		"deb.example_dists_bookworm\tinrelease\tInRelease\t  151\t/var/lib/apt/lists/deb.example_dists_bookworm_InRelease",
		"my repo (öffentlich)\tprimary\trepodata/ab-primary.xml.gz\t12\t/var/cache/zypp/raw/my repo (öffentlich)/repodata/ab-primary.xml.gz",
	))
	want := []platform.IndexFile{
		{Repository: "deb.example_dists_bookworm", Kind: "inrelease", Name: "InRelease", Path: "/var/lib/apt/lists/deb.example_dists_bookworm_InRelease", Size: 151},
		{Repository: "my repo (öffentlich)", Kind: "primary", Name: "repodata/ab-primary.xml.gz", Path: "/var/cache/zypp/raw/my repo (öffentlich)/repodata/ab-primary.xml.gz", Size: 12},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadIndexesPassesOverWhatIsOdd(t *testing.T) {
	for name, line := range map[string]string{
		"the host's own key":    "r\trepomd.key\trepodata/repomd.xml.key\t5\t/var/cache/zypp/raw/r/repodata/repomd.xml.key",
		"a field missing":       "r\trepomd\trepodata/repomd.xml\t5",
		"a field too many":      "r\trepomd\trepodata/repomd.xml\t5\t/var/x\ty",
		"no size":               "r\trepomd\trepodata/repomd.xml\t\t/var/x",
		"a negative size":       "r\trepomd\trepodata/repomd.xml\t-1\t/var/x",
		"a vast size":           "r\trepomd\trepodata/repomd.xml\t99999999999\t/var/x",
		"a device":              "r\trepomd\trepodata/repomd.xml\t5\t/dev/zero",
		"a path that leads out": "r\trepomd\trepodata/repomd.xml\t5\t/var/../dev/zero",
		"a relative path":       "r\trepomd\trepodata/repomd.xml\t5\tvar/x",
		"a name that leads out": "r\tpackages\t../Packages\t5\t/var/x",
		"an absolute name":      "r\tpackages\t/main/Packages\t5\t/var/x",
		"a name with an escape": "r\tpackages\tmain/\x1b[2J\t5\t/var/x",
		"no repository":         "\tpackages\tPackages\t5\t/var/x",
		"a long path":           "r\tpackages\tPackages\t5\t/var/" + strings.Repeat("x", 2000),
	} {
		if got, err := sample().ReadIndexes(fact.Facts{}, indexed(line)); err != nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestReadIndexesWithoutAnAnswer(t *testing.T) {
	whole := indexed("r\trepomd\trepodata/repomd.xml\t5\t/var/x")
	cut := whole
	cut.Out = cut.Out[:len(cut.Out)-4]
	truncated := whole
	truncated.Truncated = true
	endless := whole
	endless.Out = []byte(strings.ReplaceAll(string(whole.Out), "@aa status 0", ""))
	for name, r := range map[string]remote.Result{"nothing": {}, "cut": cut, "truncated": truncated, "a list without end": endless} {
		if got, err := sample().ReadIndexes(fact.Facts{}, r); err == nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	none := remote.Result{Ending: remote.Exited, Out: []byte("\n" + opening + "aa\n\n@aa whole\n")}
	if got, err := sample().ReadIndexes(fact.Facts{}, none); err != nil || len(got) != 0 {
		t.Errorf("a manager without indexes: %+v, %v", got, err)
	}
}

// The script runs a manager's function where there is one, in the shells that hosts have.
func TestIndexesCommand(t *testing.T) {
	for name, text := range map[string]string{
		"with":    "sample_indexes() { printf 'lab\\trepomd\\trepodata/repomd.xml\\t%s\\t/var/cache/x\\n' \" 7\"; }\n",
		"without": "",
	} {
		t.Run(name, func(t *testing.T) {
			d := sample()
			d.Script = text
			command := d.Indexes(fact.Facts{Host: Web})
			if command.Effect != remote.Reads || !command.Become {
				t.Errorf("%+v", command)
			}
			Shells(t, func(t *testing.T, shell []string) {
				t.Helper()
				got, err := d.ReadIndexes(fact.Facts{}, RunIn(t, shell, command))
				if err != nil || (len(got) == 1) != (text != "") || len(got) > 0 && got[0].Size != 7 {
					t.Errorf("%+v, %v", got, err)
				}
			})
		})
	}
}

func FuzzReadIndexes(f *testing.F) {
	f.Add("r\tinrelease\tInRelease\t151\t/var/lib/apt/lists/x_InRelease\n")
	f.Add("r\tpackages\tmain/binary-amd64/Packages\t 1\t/var/lib/apt/lists/x\nr\trepomd.key\tk\t1\t/var/k")
	f.Fuzz(func(t *testing.T, text string) {
		files, _ := sample().ReadIndexes(fact.Facts{}, indexed(text))
		for _, file := range files {
			odd := file.Size < 0 || file.Size > maxIndex || !strings.HasPrefix(file.Path, "/var/") || filepath.Clean(file.Path) != file.Path ||
				strings.Contains(file.Name, "..") && !filepath.IsLocal(file.Name) || filepath.IsAbs(file.Name) || file.Repository == "" ||
				remote.Clean(file.Repository+file.Name+file.Path, 4000) != file.Repository+file.Name+file.Path
			if odd {
				t.Errorf("%+v", file)
			}
		}
	})
}
