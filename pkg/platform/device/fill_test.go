package device

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

func TestFill(t *testing.T) {
	for _, c := range []struct {
		cmd    string
		values Values
		want   string
	}{
		{"dir {fs}", Values{"fs": "flash:"}, "dir flash:"},
		{"install add file {path}", Values{"path": "flash:cat9k.17.12.04.SPA.bin"}, "install add file flash:cat9k.17.12.04.SPA.bin"},
		{"request system software add {path}", Values{"path": "/var/tmp/junos-22.4R3.tgz"}, "request system software add /var/tmp/junos-22.4R3.tgz"},
		{"copy {url} {path}", Values{"url": "http://10.0.0.5:8080/x/cat9k.bin", "path": "flash:cat9k.bin"}, "copy http://10.0.0.5:8080/x/cat9k.bin flash:cat9k.bin"},
		{"show job {job}", Values{"job": "12"}, "show job 12"},
		{"awk '{print}'", nil, ""},
	} {
		got, err := fill(c.cmd, c.values)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: %q, %v", c.cmd, got, err)
		}
	}
}

func TestFillRefuses(t *testing.T) {
	for name, values := range map[string][]string{
		"path": {"", "a b", "a;b", "a\nb", "../x", "flash:../x", "$(x)", "a|b", "-rf", "a?b", "\x03", "a\x00", strings.Repeat("a", 300)},
		"file": {"a/b", "-x", ".x", "a b", "flash:x"},
		"url":  {"ftp://x/y", "http://user:pw@x/y", "http://x/y z", "http://x/y?z=1", "https://x/\r\nreload"},
		"n":    {"", "1 2", "1\r", "1;reload", strings.Repeat("1", 33), "-1"},
		"job":  {"1a", "-1", ""},
	} {
		for _, value := range values {
			if got, err := fill("show {"+name+"}", Values{name: value}); err == nil {
				t.Errorf("{%s}: %q was let in: %q", name, value, got)
			}
		}
	}
	if _, err := fill("show {n}", nil); err == nil {
		t.Error("a value that is missing")
	}
}

// FuzzFill: whatever a device says of itself, a command stays one line with as many words.
func FuzzFill(f *testing.F) {
	f.Add("flash:x")
	f.Fuzz(func(t *testing.T, value string) {
		for name := range grammars() {
			got, err := fill("show {"+name+"} end", Values{name: value})
			if err == nil && (len(strings.Fields(got)) != 3 || strings.ContainsAny(got, "\r\n;|&$`'\"<>\\?")) {
				t.Errorf("{%s}: %q", name, got)
			}
		}
	})
}

func TestSpaceAndHash(t *testing.T) {
	p := small(t)
	queries, err := p.SpaceQueries(p.Definition.Space[0], []fact.Member{{ID: "1"}, {ID: "2"}})
	if err != nil || len(queries) != 3 || queries[1].Cmd != "dir flash-2:" || queries[2].Cmd != "dir flash:" {
		t.Fatalf("%+v, %v", queries, err)
	}
	got := p.ReadSpace(queries[1], []byte("11353194496 bytes total (8,565,174,272 bytes free)\r\n"))
	if len(got) != 1 || got[0] != (fact.FreeSpace{Member: "2", Name: "flash-2:", Bytes: 8565174272}) {
		t.Errorf("%+v", got)
	}
	if _, err := p.SpaceQueries(p.Definition.Space[0], []fact.Member{{ID: "1; reload"}}); err == nil {
		t.Error("a member's ID ended the command")
	}
	hash := p.Definition.Hash[0]
	sum := strings.Repeat("0123456789abcdef", 8)
	if got, ok := p.ReadHash(hash, []byte("....\nverify (flash:x) = "+strings.ToUpper(sum)+"\n")); !ok || got != sum {
		t.Errorf("%q, %v", got, ok)
	}
	for _, out := range []string{"", "= " + sum[:64], "= " + sum + "\n= " + strings.Repeat("f", 128)} {
		if got, ok := p.ReadHash(hash, []byte(out)); ok {
			t.Errorf("%q: %q", out, got)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		r    row
		want int64
	}{
		{row{"bytes": "12"}, 12}, {row{"amount": "1.5", "unit": "G"}, 1_500_000_000}, {row{"amount": "2", "unit": "KiB"}, 2048},
		{row{"amount": "3", "unit": "MB"}, 3_000_000}, {row{"amount": "7", "unit": ""}, 7}, {row{"amount": "1", "unit": "Kbytes"}, 1000},
		{row{"amount": "1", "unit": "parsec"}, -1}, {row{"amount": "x"}, -1}, {row{}, -1}, {row{"amount": "1e30", "unit": "P"}, -1},
	} {
		if got, ok := bytesOf(c.r); ok != (c.want >= 0) || ok && got != c.want {
			t.Errorf("%v: %d, %v", c.r, got, ok)
		}
	}
}
