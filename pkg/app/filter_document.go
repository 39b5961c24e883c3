package app

import (
	"reflect"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/view"
)

// quietDocument is a document without known secrets. It is filtered before it is laid out:
// once a table has wrapped a value, or Markdown has escaped it, nobody finds it any more.
func (e Env) quietDocument(d report.Document) report.Document { return quieted(e.Secrets.Filter, d) }

// quieted is a copy of a value with every text in it filtered, whatever its type; never the
// keys of maps, and no unexported fields. The value itself stays as it is.
func quieted[T any](filter *secret.Filter, v T) T {
	if filter == nil {
		return v
	}
	out := v
	quietValue(filter, reflect.ValueOf(&out).Elem())
	return out
}

// quietValue works on a place that is ours. What it points to is not yet: that is copied.
func quietValue(f *secret.Filter, v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // the others hold no text
	case reflect.String:
		if was := v.String(); was != "" {
			v.SetString(f.Text(was))
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				quietValue(f, field)
			}
		}
	case reflect.Array:
		quietEach(f, v)
	case reflect.Slice:
		quietSlice(f, v)
	case reflect.Map:
		quietMap(f, v)
	case reflect.Interface, reflect.Pointer:
		quietBehind(f, v)
	}
}

func quietEach(f *secret.Filter, v reflect.Value) {
	for i := range v.Len() {
		quietValue(f, v.Index(i))
	}
}

// quietSlice takes bytes as text: they are JSON or what a tool has printed.
func quietSlice(f *secret.Filter, v reflect.Value) {
	switch {
	case v.IsNil():
	case v.Type().Elem().Kind() == reflect.Uint8:
		v.SetBytes(f.Bytes(v.Bytes()))
	default:
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		quietEach(f, own)
		v.Set(own)
	}
}

func quietMap(f *secret.Filter, v reflect.Value) {
	if v.IsNil() {
		return
	}
	own := reflect.MakeMapWithSize(v.Type(), v.Len())
	for key, value := range v.Seq2() {
		item := reflect.New(v.Type().Elem()).Elem()
		item.Set(value)
		quietValue(f, item)
		own.SetMapIndex(key, item)
	}
	v.Set(own)
}

// quietBehind copies what a pointer or an interface holds.
func quietBehind(f *secret.Filter, v reflect.Value) {
	if v.IsNil() {
		return
	}
	own := reflect.New(v.Elem().Type())
	own.Elem().Set(v.Elem())
	quietValue(f, own.Elem())
	if v.Kind() == reflect.Interface {
		own = own.Elem()
	}
	v.Set(own)
}

// quietFacts filters the free texts of what was learned of a host: they come into plans. The
// others are matched against grammars, and decisions depend on them.
func quietFacts(f *secret.Filter, facts fact.Facts) fact.Facts {
	facts.Manager.Detail = f.Text(facts.Manager.Detail)
	facts.Problems = slices.Clone(facts.Problems)
	for i := range facts.Problems {
		facts.Problems[i].Detail = f.Text(facts.Problems[i].Detail)
	}
	return facts
}

// quietState is a rollout as a view sees it: what an earlier process has journaled may hold
// what only this one knows to be a secret.
type quietState struct {
	of     view.State
	filter *secret.Filter
}

func (s quietState) Host(id fact.HostID) (rollout.HostStatus, bool) {
	h, ok := s.of.Host(id)
	return quieted(s.filter, h), ok
}

func (s quietState) Status(now time.Time) rollout.Status {
	return quieted(s.filter, s.of.Status(now))
}
