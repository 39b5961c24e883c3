package inventory

import "testing"

func TestSizes(t *testing.T) {
	for text, want := range map[string]string{"1": "1", "10%": "10%", "100%": "100%", "0": "0", "0%": "0%", "100000": "100000"} {
		if got, err := ParseSize(text, "hosts"); err != nil || got.String() != want {
			t.Errorf("%s = %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "%", "-1", "101%", "1.5", "1 %", "1%%", "+1", "100001", "x"} {
		if got, err := ParseSize(text, "hosts"); err == nil {
			t.Errorf("%q = %s", text, got)
		}
	}
}
