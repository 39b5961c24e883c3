package device

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

// shown are the parts that each platform's samples show, made up by hand from vendors'
// documents.
func shown(t *testing.T) map[fact.Platform]map[string]bool {
	t.Helper()
	files := os.DirFS("testdata/samples")
	found, err := fs.Glob(files, "*/*/expect.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[fact.Platform]map[string]bool{}
	for _, name := range found {
		e, err := readExpect(files, path.Dir(name))
		if err != nil {
			t.Fatal(err)
		}
		p := fact.Platform(path.Dir(path.Dir(name)))
		if all[p] == nil {
			all[p] = map[string]bool{}
		}
		parts := all[p]
		parts[PartPlatform] = true
		parts[PartVersion] = parts[PartVersion] || e.Version.V != ""
		parts[PartModel] = parts[PartModel] || e.Model.V != "" || inMember(e, 1)
		parts[PartSerial] = parts[PartSerial] || e.Serial.V != "" || inMember(e, 2)
	}
	return all
}

// inMember tells whether a sample's members have a word at this place.
func inMember(e Expect, at int) bool {
	for _, line := range e.Members.V {
		if words := strings.Fields(line); at < len(words) && words[at] != "-" {
			return true
		}
	}
	return false
}

// TestDocumentedIsSampled: a part rests on a vendor's document only where a sample was made
// from it. That what is recorded was recorded, .ci/corpus holds.
func TestDocumentedIsSampled(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	samples := shown(t)
	for _, p := range l.All() {
		for _, part := range Parts() {
			if p.Definition.RestsOn(part) == "vendor_document" && !samples[p.Name()][part] {
				t.Errorf("%s: %s is said to rest on a vendor's document, and no sample has it", p.Name(), part)
			}
		}
	}
}

// TestNothingIsRead: what is not read rests on nothing, and a user's own definition on
// nothing that was checked.
func TestNothingIsRead(t *testing.T) {
	d := Definition{Proof: "recorded", Facts: Facts{Members: []Rows{{Re: `^(?P<id>\d) (?P<serial>\S+)`}}}, Rests: Rests{Version: "unproven"}}
	for part, want := range map[string]string{PartPlatform: "recorded", PartVersion: "unproven", PartModel: "", PartSerial: "recorded"} {
		if got := d.RestsOn(part); got != want {
			t.Errorf("%s: %q, want %q", part, got, want)
		}
	}
	way := Upgrade{Proof: "simulated", Rests: WayRests{Fallback: "vendor_document"}}
	if on, parts := d.WayRestsOn(&way); on != "simulated" || parts != (WayRests{"simulated", "simulated", "vendor_document"}) {
		t.Errorf("%s %v", on, parts)
	}
	d.Proof = unchecked
	if on, parts := d.WayRestsOn(&way); on != unchecked || parts != (WayRests{unchecked, unchecked, unchecked}) || d.RestsOn(PartVersion) != unchecked {
		t.Errorf("a user's own: %s %v", on, parts)
	}
}
