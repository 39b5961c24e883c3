package main

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/lab"
)

// steering are names of what decides where and as whom one connects.
var steering = regexp.MustCompile(`(?i)address|user|port$|jump|proxy|ssh|become|credential|password|key$|argv|environ`)

// TestFactsHoldNoWay: there is no field in which an answer could say where the next
// connection goes. What was never learned can't be followed.
func TestFactsHoldNoWay(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Slice, reflect.Pointer, reflect.Map:
			walk(typ.Elem(), path)
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			for f := range typ.Fields() {
				if steering.MatchString(f.Name) {
					t.Errorf("%s.%s", path, f.Name)
				}
				walk(f.Type, path+"."+f.Name)
			}
		case reflect.Interface, reflect.Func:
			t.Errorf("%s can be anything", path)
		}
	}
	walk(reflect.TypeFor[fact.Facts](), "Facts")
	if len(seen) < 5 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}

// TestFactsDoNotSteer: a host that says it is elsewhere, and somebody else, is met where and
// as whom the inventory says, by each command after the first as well.
func TestFactsDoNotSteer(t *testing.T) {
	f := newHostileFleet(t, "facts_steer")
	steered, other := f.Host("h-facts-steer"), f.Host("honest-2")
	for _, args := range [][]string{{"detect", "h-facts-steer"}, {"detect", "h-facts-steer", "--json"}, {"plan", "monthly.yaml", "--limit", "h-facts-steer"}, {"doctor", "h-facts-steer"}} {
		before := steered.Effects().Commands
		f.run(t, args...)
		if steered.Effects().Commands == before {
			t.Errorf("%v did not meet the host", args)
		}
	}
	if done := other.Effects(); done.Logins+done.Commands > 0 {
		t.Errorf("another host was met: %+v", done)
	}
	for name, said := range f.said {
		if strings.Contains(name, "--json") && !strings.Contains(string(said), lab.Canary) && strings.HasSuffix(name, "stdout") {
			t.Errorf("the host's name is not shown: the test proves nothing\n%s", said)
		}
	}
}
