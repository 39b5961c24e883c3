package rollout

import (
	"strings"
	"testing"
)

// TestWouldOfNothing: a ring that is not there, and the first, are bound to no set.
func TestWouldOfNothing(t *testing.T) {
	s := &State{}
	if _, err := s.Would("production"); err == nil || !strings.Contains(err.Error(), `no ring "production"`) {
		t.Error(err)
	}
	s.rings = []*ring{{}}
	s.rings[0].Name = "test"
	if _, err := s.Would("test"); err == nil || !strings.Contains(err.Error(), "is the first") {
		t.Error(err)
	}
	if set := s.Proven(); len(set.Proven) != 0 {
		t.Errorf("%+v", set)
	}
}
