package device

import (
	"strings"
	"testing"
)

func TestSection(t *testing.T) {
	const config = "config a\n    set x 1\n    config b\n        edit 1\n        next\n    end\nend\nconfig c\nend\n"
	first, _, _ := strings.Cut(config, "config c")
	for begin, want := range map[string]string{
		"config a": first, "config b": "config b\n    edit 1\n    next\nend\n", "config c": "config c\nend\n", "config d": "", "": "",
	} {
		if got := section(config, begin); got != want {
			t.Errorf("%q: %q", begin, got)
		}
	}
}

func TestInvent(t *testing.T) {
	if got := invent("A%%%%%%%%-#", "seed"); len(got) != 11 || got[0] != 'A' || got[9] != '-' || strings.Trim(got[1:9], "0123456789") != "" {
		t.Error(got)
	}
	if got := sameForm("FOC27A1-9"); got != "FOC%%#%-%" {
		t.Error(got)
	}
}

// FuzzRecords: no query makes the table fall over, and a table has no more rows than there are.
func FuzzRecords(f *testing.F) {
	rows := []record{{"node": "n1", "state": "up", "size": 5}, {"node": "n2", "state": "down", "size": 7}}
	f.Add("-node n1 -fields state,size")
	f.Add("-state !up|down -node n* -fields")
	f.Add(`-node "(" x`)
	f.Fuzz(func(t *testing.T, query string) {
		out := records(query, []string{"node"}, rows)
		if !strings.HasSuffix(out, "\n\n") || strings.Count(out, "\n") > 6+strings.Count(query, "\n") {
			t.Errorf("%q: %q", query, out)
		}
	})
}
