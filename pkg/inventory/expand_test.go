package inventory

import (
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	tests := map[string]string{
		"web":            "web",
		"web-[01:03]":    "web-01 web-02 web-03",
		"[1:2].example":  "1.example 2.example",
		"a[8:10]b":       "a8b a9b a10b",
		"a[098:100]":     "a098 a099 a100",
		"r[a:c]":         "ra rb rc",
		"r[A:B]-[1:2]":   "rA-1 rA-2 rB-1 rB-2",
		"w[1:9:4]":       "w1 w5 w9",
		"w[0:0]":         "w0",
		"r[a:z:25]":      "ra rz",
		"r[a:z:1000000]": "ra",
	}
	for text, want := range tests {
		got, err := expand(text)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"a[", "a]", "a[]", "a[1]", "a[1:]", "a[:2]", "a[2:1]", "a[01:100]", "a[1:2:0]", "a[1:2:x]", "a[[1:2]]", "a[1:2:3:4]",
		"a[c:a]", "a[a:C]", "a[1:b]", "a[1:200000]", "a[1:1000][1:1000]", "a[-1:2]", "a[99999999999:2]",
	} {
		if got, err := expand(text); err == nil {
			t.Errorf("%s = %d names", text, len(got))
		}
	}
}
