package device_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/patchring/patchring/pkg/lab/device"
)

// TestEmbedded: every built-in file loads, and all its templates run once.
func TestEmbedded(t *testing.T) {
	for _, name := range device.Names() {
		t.Run(name, func(t *testing.T) {
			k, err := device.Embedded(name)
			if err != nil {
				t.Fatal(err)
			}
			a, err := device.New(k, device.Options{Name: "one"})
			if err != nil {
				t.Fatal(err)
			}
			b, err := device.New(k, device.Options{Name: "two"})
			if err != nil {
				t.Fatal(err)
			}
			if broken := a.Done().Broken; len(broken) > 0 {
				t.Errorf("broken: %v", broken)
			}
			for i, m := range a.Truth().Members {
				if serial := m.Values["serial"]; serial != "" && strings.Contains(serial, "#") || serial != "" && serial == b.Truth().Members[i].Values["serial"] {
					t.Errorf("member %s has the serial %q, as another device has", m.ID, serial)
				}
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	const console = "device: x\nconsole: {start: a, modes: {a: '> '}}\n"
	for name, c := range map[string]struct{ src, want string }{
		"no console":           {"device: x\n", "lacks `console`"},
		"no start":             {"device: x\nconsole: {start: b, modes: {a: '> '}}\n", "lacks `console`"},
		"a template":           {console + "commands: [{in: a, out: '{{.V.x'}]\n", "command a: "},
		"a condition":          {console + "commands: [{in: a, when: 'eq .V.x ('}]\n", "command a: "},
		"a pattern":            {console + "commands: [{in: 'a <b'}]\n", "a pattern is words"},
		"rest not last":        {console + "commands: [{in: 'a <b...> c'}]\n", "a pattern is words"},
		"an expression":        {console + "commands: [{in: 'a <b:[>'}]\n", "missing closing"},
		"an accept":            {console + "commands: [{in: a, do: [{ask: b, accept: '('}]}]\n", "missing closing"},
		"a routine":            {console + "commands: [{in: a, do: [{run: b}]}]\n", "no such routine"},
		"a text":               {console + "commands: [{in: a, file: b}]\n", "no such text"},
		"a routine at the end": {console + "commands: [{in: a, over: b}]\n", "no such routine"},
		"a size":               {console + "truth: {members: [{id: '1', volumes: {f: {size: big}}}]}\n", "a number of bytes"},
		"a duration":           {console + "timing: {a: soon}\n", "want a duration"},
		"a key":                {console + "commandos: []\n", "unknown key `commandos`"},
		"like":                 {console + "like: b\n", "needs Load"},
	} {
		if _, err := device.Parse("x", []byte(c.src)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	files := fstest.MapFS{"a.yaml": {Data: []byte("device: a\nlike: b\n")}, "b.yaml": {Data: []byte("device: b\nlike: a\n")}}
	for _, name := range []string{"a", "../a", "nothing"} {
		if _, err := device.Load(files, name); err == nil {
			t.Errorf("%s was loaded", name)
		}
	}
}

// FuzzParse: no file makes the loader, or a device of it, fall over.
func FuzzParse(f *testing.F) {
	f.Add([]byte("device: x\nconsole: {start: a, modes: {a: '> '}}\ncommands: [{in: 'a <b:[0-9]+> <c...>', out: '{{.V.x}}', do: [{ask: x, accept: y}]}]\n"))
	f.Add([]byte("device: x\nconsole: {start: a, modes: {a: '{{.V.hostname}}'}}\ntruth: {config: '{{repeat \"x\" 99999999}}', members: [{id: '#', values: {serial: '###'}}]}\nimages: [{name: 'a(', version: b}]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		k, err := device.Parse("x", src)
		if err != nil {
			return
		}
		d, err := device.New(k, device.Options{Name: "x"})
		if err == nil && d.Truth().Values == nil {
			t.Error("a device without values")
		}
	})
}
