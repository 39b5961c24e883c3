package main

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/device"
)

// evidence is what recordings of real devices have shown: by platform, the facts that came
// out right and the tables that had rows.
type evidence map[fact.Platform]map[string]bool

func (e evidence) saw(p fact.Platform, what string) {
	if e[p] == nil {
		e[p] = map[string]bool{}
	}
	e[p][what] = true
}

// ofRecordings takes in what came out as people agreed on.
func (e evidence) ofRecordings(l device.Library, all []recording) {
	for _, r := range all {
		var res result
		res.tallies = map[string]map[string]*[4]tally{"hinted": {}}
		res.one(l, r, "hinted")
		got := identify(l, r, truthOf(r), "hinted")
		for _, row := range res.tallies["hinted"] {
			for i, what := range facts {
				if row[i].right > 0 {
					e.saw(got.Platform, what)
				}
			}
		}
	}
}

// ofSessions takes in what was read in sessions: the platform where it was told, live or
// from all that was printed; the facts with the patterns of the platform that it is of.
func (e evidence) ofSessions(l device.Library, all []session) {
	for _, s := range all {
		system, _, _ := strings.Cut(s.name, "__")
		told := cmp.Or(s.identify(l).Platform, s.printed(l))
		for _, name := range systems()[system] {
			if told == name {
				e.saw(name, device.PartPlatform)
			}
			if p, ok := l.Find(name); ok && (told == name || told == "") {
				e.ofSession(p, s)
			}
		}
	}
}

func (e evidence) ofSession(p *device.Platform, s session) {
	outputs := map[string][]byte{}
	for cmd, out := range s.answers {
		outputs[cmd] = []byte(out)
	}
	f, err := p.Read(outputs, when)
	if err != nil {
		return
	}
	for part, value := range map[string]string{device.PartVersion: f.Version, device.PartModel: f.Model, device.PartSerial: f.Serial} {
		if value != "" {
			e.saw(p.Name(), part)
		}
	}
	for _, table := range p.Definition.State.Entries {
		if len(p.ReadTable(table.Value, outputs[table.Value.Cmd]).Items) > 0 {
			e.saw(p.Name(), "state."+table.Key)
		}
	}
}

func (s session) printed(l device.Library) fact.Platform {
	var list []device.Recording
	for _, cmd := range slices.Sorted(maps.Keys(s.answers)) {
		list = append(list, device.Recording{Name: device.FileOf(cmd), Text: []byte(s.answers[cmd])})
	}
	return l.Identify(list, "").Platform
}

// ofTables takes in the tables that found rows in their command's output.
func (e evidence) ofTables(l device.Library, all []recording) {
	for _, r := range all {
		_, folder, _ := strings.Cut(r.folder, "/")
		for _, name := range truthOf(r).platforms {
			p, ok := l.Find(name)
			if !ok {
				continue
			}
			for _, table := range p.Definition.State.Entries {
				if device.FileOf(table.Value.Cmd) == folder+".txt" && len(p.ReadTable(table.Value, r.text).Items) > 0 {
					e.saw(name, "state."+table.Key)
				}
			}
		}
	}
}

// TestRecordedIsRecorded: a definition says of a part that it rests on recordings only where
// one has shown it.
func TestRecordedIsRecorded(t *testing.T) {
	root := root("")
	if os.Getenv("PATCHRING_CORPORA") == "" {
		root = filepath.Join("..", "..", root)
	}
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no recordings: %v", err)
	}
	library, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	shown := evidence{}
	for folder, take := range map[string]func(device.Library, []recording){"ntc": shown.ofRecordings, "state": shown.ofTables} {
		all, err := recordings(filepath.Join(root, folder))
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %d recordings, %v", folder, len(all), err)
		}
		take(library, all)
	}
	played, err := sessions(filepath.Join(root, "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	shown.ofSessions(library, played)
	for p, parts := range unread() {
		for _, part := range parts {
			shown.saw(p, part)
		}
	}
	for _, p := range library.All() {
		d := &p.Definition
		claims := map[string]string{}
		for _, part := range device.Parts() {
			claims[part] = d.RestsOn(part)
		}
		for _, e := range d.State.Entries {
			claims["state."+e.Key] = d.TableRestsOn(e.Key)
		}
		for part, on := range claims {
			if on == "recorded" && !shown[p.Name()][part] {
				t.Errorf("%s: %s is said to be recorded, and no recording shows it", p.Name(), part)
			}
		}
	}
}

// unread are parts that were read from recordings which this reader cuts: a text of theirs
// is longer than package document takes.
func unread() map[fact.Platform][]string {
	return map[fact.Platform][]string{"ciena_saos10": {device.PartPlatform, device.PartVersion}}
}
