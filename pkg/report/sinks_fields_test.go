package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// attacks are what a host, a repository or a hook may say. Each goes into each text of each
// document, and each document through each format: none relies on what built it.
func attacks() map[string]string {
	return map[string]string{
		"clipboard and title":  "a\x1b]52;c;Y2FsYw==\x07b\x1b]0;t\x1b\\c\x1b]8;;file:///etc\x1b\\d\x9d52;c;x\x9c\x1b[2J\x1b[5A",
		"a line of our own":    "x\r\n22:00:00  production  hq/web1  host  healthy\n2026-11-22\u0085y\u2028z\u2029\v\f",
		"reading direction":    "\u202egnp.exe\u202c \u2066a\u2069 \u200e\u200f\u061c",
		"unseen":               "a\u200b\u200d\u2060\ufeff\u00ad\u034f\u3164\ufe0f\U000e0041\U000e007fb\u115f\u2800",
		"accents":              "a" + strings.Repeat("\u0300\u0489", 40),
		"formula":              "=cmd|' /C calc'!A0;@SUM(1)\t+1",
		"HTML":                 "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;]]><!--",
		"Markdown":             "](javascript:x) ![i](http://x) `|` **b** # | --- | \\| <b> www.x.y @all $x$ ~~~ ```",
		"GitHub":               "::set-output name=x::y ::add-mask::a ::stop-commands::t ##[group]x",
		"Azure and TeamCity":   "##vso[task.setvariable variable=PATH]/tmp ##teamcity[buildStatus text='x'] ###vso[x]",
		"GitLab":               "\x1b[0Ksection_start:1:x[collapsed=true]\r\x1b[0Ky",
		"not UTF-8":            "\xff\xfe\xed\xa0\x80\xc0\xaf\x00\x7f",
		"not XML":              "\x00\x01\x0b\ufffe\uffff]]>&#0;<?xml?>",
		"long":                 strings.Repeat("w", 1500),
		"option and traversal": "--upload-pack=x ../../../etc/passwd\x00.txt CON:",
	}
}

// mixed are the attacks for one field at a time, all in one text.
func mixed() string {
	parts := []string{"@SUM(1) ::error::x\r=1"}
	for _, kind := range slices.Sorted(maps.Keys(attacks())) {
		if kind != "long" {
			parts = append(parts, attacks()[kind])
		}
	}
	return strings.Join(parts, " ")
}

// TestEveryFieldOfEveryDocument puts the attacks into each text field by itself, and into
// all of them at once.
func TestEveryFieldOfEveryDocument(t *testing.T) {
	all := samples()
	for name, f := range forecasts(t) {
		all["forecast "+name] = f
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fields := textFields(all[name])
		if len(fields) < 2 {
			t.Errorf("%s has %d texts: the test looks in the wrong place", name, len(fields))
		}
		for _, kind := range slices.Sorted(maps.Keys(attacks())) {
			sinksHold(t, poisoned(all[name], "", attacks()[kind]), attacks()[kind])
			textHolds(t, string(render(t, poisoned(all[name], "", attacks()[kind]), FormatTable, Options{Width: 60})), 60)
			if t.Failed() {
				t.Fatalf("%s, all fields: %s", name, kind)
			}
		}
		for _, field := range fields {
			sinksHold(t, poisoned(all[name], field, mixed()), mixed())
			if t.Failed() {
				t.Fatalf("%s, %s", name, field)
			}
		}
	}
}

// sinksHold writes a document in all formats that it has.
func sinksHold(t *testing.T, d Document, attack string) {
	t.Helper()
	table := string(render(t, d, FormatTable, Options{}))
	textHolds(t, table, 0)
	logHolds(t, table)
	markdown := string(render(t, d, FormatMarkdown, Options{}))
	markdownHolds(t, markdown)
	logHolds(t, markdown)
	jsonHolds(t, string(render(t, d, FormatJSON, Options{})))
	if _, ok := d.(interface{ records() records }); ok {
		for _, row := range parseCSV(t, render(t, d, FormatCSV, Options{})) {
			cellsHold(t, row)
		}
	}
	if s, ok := d.(interface{ suites() []suite }); ok {
		all := parseJUnit(t, render(t, d, FormatJUnit, Options{}))
		if len(all.Suites) != len(s.suites()) {
			t.Errorf("%d suites of %d for %q", len(all.Suites), len(s.suites()), attack)
		}
	}
}

// obeyed is what CI servers look for in a log. GitHub's words count at the beginning of a line.
var obeyed = regexp.MustCompile(`(?im)##(vso|teamcity)?\[|^[ |]*::[a-z-]+[ :]|section_(start|end):[^\n]*\x1b`)

func logHolds(t *testing.T, s string) {
	t.Helper()
	if m := obeyed.FindString(s); m != "" {
		t.Errorf("a CI server obeys %q", m)
	}
}

// jsonHolds: it is JSON, and every line of it can be printed anywhere.
func jsonHolds(t *testing.T, s string) {
	t.Helper()
	if !json.Valid([]byte(s)) {
		t.Errorf("not JSON: %.200q", s)
	}
	logHolds(t, s)
	for line := range strings.Lines(s) {
		printable(t, strings.TrimSuffix(line, "\n"))
	}
}

// TestEscapeJSON: nothing is lost.
func TestEscapeJSON(t *testing.T) {
	for kind, attack := range attacks() {
		raw, err := json.Marshal(map[string]string{attack: attack})
		if err != nil {
			t.Fatal(err)
		}
		var before, after map[string]string
		if err := json.Unmarshal(raw, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(EscapeJSON(raw), &after); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(before, after) {
			t.Errorf("%s: %q is %q", kind, before, after)
		}
		if again := EscapeJSON(EscapeJSON(raw)); !bytes.Equal(again, EscapeJSON(raw)) {
			t.Errorf("%s: escaped twice it is %s", kind, again)
		}
	}
}

// textFields lists the texts of a document by their paths; elements of lists and maps have one.
func textFields(d Document) []string {
	found := map[string]bool{}
	visit(reflect.ValueOf(d), "", func(path string, v reflect.Value) reflect.Value {
		found[path] = true
		return v
	})
	return slices.Sorted(maps.Keys(found))
}

// poisoned is a copy of a document in which one field, or with "" every one, is an attack.
func poisoned(d Document, field, attack string) Document {
	v := visit(reflect.ValueOf(d), "", func(path string, v reflect.Value) reflect.Value {
		if field != "" && path != field {
			return v
		}
		out := reflect.New(v.Type()).Elem()
		out.SetString(attack)
		return out
	})
	return v.Interface().(Document)
}

// visit copies a value and changes its texts on the way.
func visit(v reflect.Value, path string, change func(string, reflect.Value) reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		return change(path, v)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		inner := visit(v.Elem(), path, change)
		out := reflect.New(v.Type()).Elem()
		if v.Kind() == reflect.Interface {
			out.Set(inner)
			return out
		}
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(inner)
		return out
	case reflect.Slice:
		return visitSlice(v, path, change)
	case reflect.Map:
		return visitMap(v, path, change)
	case reflect.Struct:
		return visitStruct(v, path, change)
	}
	return v
}

func visitSlice(v reflect.Value, path string, change func(string, reflect.Value) reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for i := range v.Len() {
		out.Index(i).Set(visit(v.Index(i), path+"[]", change))
	}
	return out
}

func visitMap(v reflect.Value, path string, change func(string, reflect.Value) reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	out := reflect.MakeMap(v.Type())
	for _, key := range v.MapKeys() {
		out.SetMapIndex(visit(key, path+"{}", change), visit(v.MapIndex(key), path+"{}", change))
	}
	return out
}

// visitStruct leaves alone what a document does not show.
func visitStruct(v reflect.Value, path string, change func(string, reflect.Value) reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && v.Type().PkgPath() != "time" {
			out.Field(i).Set(visit(v.Field(i), path+"."+f.Name, change))
		}
	}
	return out
}
