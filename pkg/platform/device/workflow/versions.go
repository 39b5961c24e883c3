package workflow

import "github.com/patchring/patchring/pkg/version"

// is tells whether a version that a device prints is the one that is meant, by the
// platform's scheme.
func (t *task) is(have, want string) bool { return version.Same(t.def.Order, have, want) }

// order compares two versions as the platform's scheme does.
func (t *task) order(a, b string) int {
	if compare, known := version.Scheme(t.def.Order); known {
		return compare(a, b)
	}
	return natural(a, b)
}

// older tells whether a is older than b, whatever the scheme.
func older(a, b string) bool { return natural(a, b) < 0 }

// natural orders numbers by their value, letters by the alphabet, and of two that begin
// alike the longer is the newer.
func natural(a, b string) int {
	compare, _ := version.Scheme("generic")
	return compare(a, b)
}
