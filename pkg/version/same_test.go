package version

import "testing"

func TestSame(t *testing.T) {
	for _, c := range []struct {
		scheme, have, want string
		same               bool
	}{
		{"iosxe", "17.12.04", "17.12.4", true},
		{"iosxe", "17.12.04.0.6", "17.12.4", true},
		{"iosxe", "17.12.4a", "17.12.4", false},
		{"iosxe", "17.12.4", "17.12.4a", false},
		{"junos", "22.4R3.25", "22.4R3", true},
		{"junos", "22.4R3-S2.11", "22.4R3", false},
		{"junos", "22.4R3-S2.11", "22.4R3-S2", true},
		{"f5", "16.1.4.1", "16.1.4", false},
		{"dotted", "9.13.1P6", "9.13.1", false},
		{"eos", "4.31.2F", "4.31.2F", true},
		{"nobody's", "1.0", "1.0", true},
		{"nobody's", "1.00", "1.0", false},
		{"iosxe", "", "", false},
		{"iosxe", "17.12.4", "", false},
	} {
		if got := Same(c.scheme, c.have, c.want); got != c.same {
			t.Errorf("%s: %q as %q: %v", c.scheme, c.have, c.want, got)
		}
	}
}
