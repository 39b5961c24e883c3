package device

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// The kinds of text in a definition, as the tag `is` of its fields names them.
const (
	isPattern = "pattern"
	isCommand = "command"
)

// text is one pattern or command of a definition, and where it stands.
type text struct {
	path string // facts.version[0].re
	kind string
	text string
}

// texts are all patterns and commands, in the order of the Go types.
func texts(d *Definition) []text {
	var found []text
	walk(reflect.ValueOf(d).Elem(), "", "", func(path, kind string, v reflect.Value) {
		if kind != "" && v.Kind() == reflect.String && v.String() != "" {
			found = append(found, text{path, kind, v.String()})
		}
	})
	return found
}

// walk visits every value below v with its path and the tag `is` of its field.
func walk(v reflect.Value, path, kind string, visit func(path, kind string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), path, kind, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), kind, visit)
		}
	case reflect.Struct:
		walkStruct(v, path, visit)
	default:
		visit(path, kind, v)
	}
}

func walkStruct(v reflect.Value, path string, visit func(path, kind string, v reflect.Value)) {
	if entries := v.FieldByName("Entries"); entries.IsValid() { // a document.Map
		for i := range entries.Len() {
			entry := entries.Index(i)
			walk(entry.FieldByName("Value"), join(path, entry.FieldByName("Key").String()), "", visit)
		}
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if name := field.Tag.Get("yaml"); name != "" {
			walk(v.Field(i), join(path, name), field.Tag.Get("is"), visit)
		}
	}
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// canonical is what a definition says, without the places where it says it: values that
// are left out do not count, and keys are sorted when it is encoded.
func canonical(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return canonical(v.Elem())
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = canonical(v.Index(i))
		}
		return list
	case reflect.Struct:
		return canonicalStruct(v)
	}
	return v.Interface()
}

func canonicalStruct(v reflect.Value) any {
	made := map[string]any{}
	if entries := v.FieldByName("Entries"); entries.IsValid() {
		// The order of a map counts as well: of two rows that hold, the first wins.
		list := make([]any, entries.Len())
		for i := range list {
			entry := entries.Index(i)
			list[i] = []any{entry.FieldByName("Key").String(), canonical(entry.FieldByName("Value"))}
		}
		return list
	}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" && !v.Field(i).IsZero() {
			made[name] = canonical(v.Field(i))
		}
	}
	return made
}

// node is any YAML, read for its places alone.
type node struct {
	document.Many[document.Either[string, document.Map[node]]]
}

// places are where the values of a file stand, by path.
func places(path string, src []byte) map[string]document.Pos {
	var root document.Map[node]
	type top struct {
		document.Map[node]
	}
	var t top
	document.Decode(path, src, &t)
	root = t.Map
	found := map[string]document.Pos{}
	mark(found, root, "")
	return found
}

func mark(found map[string]document.Pos, m document.Map[node], path string) {
	for _, e := range m.Entries {
		below := join(path, e.Key)
		found[below] = e.At
		for i, item := range e.Value.Items {
			at := fmt.Sprintf("%s[%d]", below, i)
			if item.At().Written() {
				found[at] = item.At()
			}
			if item.Long.Set() {
				mark(found, item.Long.V, at)
				mark(found, item.Long.V, below) // a mapping that is no list
			}
		}
	}
}

// placeOf is the place of a path, or of the nearest thing above it that is written.
func placeOf(found map[string]document.Pos, path string) document.Pos {
	for path != "" {
		if at, ok := found[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return document.Pos{Line: 1, Col: 1}
}
