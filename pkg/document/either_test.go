package document

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// waits has fields that may be written in two ways, and a key that is known elsewhere.
type waits struct {
	Soak  Either[time.Duration, longWait] `yaml:"soak" min:"1s"`
	Rules Map[Many[longWait]]             `yaml:"rules" doc:"write one" count:"1"`
	Range Value[bounds]                   `yaml:"range"`
	For   Elsewhere                       `yaml:"for" doc:"write soak"`
	longWait
}

type longWait struct {
	For   Value[time.Duration] `yaml:"for" flags:"required"`
	Other Value[string]        `yaml:"other"`
}

type bounds struct {
	Min Value[int] `yaml:"min"`
	Max Value[int] `yaml:"max"`
}

func (*bounds) AtLeastOne() []string { return []string{"min", "max"} }

func TestShortAndLong(t *testing.T) {
	var w waits
	f := Decode("x", []byte("soak: 48h\nother: x\nrules:\n  a: {for: 1h}\n  b: [{for: 2h}, {for: 3h}]\n"), &w)
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	if w.Soak.Short.V != 48*time.Hour || w.Soak.Long.Set() || w.Soak.At() != (Pos{1, 7}) || !w.Soak.Set() || w.Other.V != "x" {
		t.Errorf("%+v", w)
	}
	a, b := w.Rules.Entries[0].Value, w.Rules.Entries[1].Value
	if len(a.Items) != 1 || len(b.Items) != 2 || !a.Set() || b.Items[1].For.V != 3*time.Hour {
		t.Errorf("%+v", w.Rules)
	}
	f = Decode("x", []byte("soak: {for: 0s, other: y}\n"), &w)
	if f.Err() != nil || w.Soak.Long.V.Other.V != "y" || w.Soak.At() != (Pos{1, 7}) {
		t.Errorf("%v %+v", f.Err(), w.Soak)
	}
}

// TestBothWaysAreJudged: the decoder and the schema refuse the same.
func TestBothWaysAreJudged(t *testing.T) {
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema("waits", waits{})))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("x", raw); err != nil {
		t.Fatal(err)
	}
	schema := c.MustCompile("x")
	for src, want := range map[string]string{
		"soak: 1h\n":                         "",
		"rules: {a: {for: 1h}}\n":            "",
		"rules: {a: [{for: 1h}, {for: 2h}]}": "",
		"range: {min: 1, max: 2}\n":          "",
		"range: {max: 2}\n":                  "",
		"range: {}\n":                        "`range` lacks one of `min`, `max`",
		"soak: x\n":                          "`soak` wants a duration, not `x`",
		"soak: [1h]\n":                       "`soak` wants a duration, not a list",
		"soak:\n":                            "`soak` has no value",
		"soak: {other: x}\n":                 "`soak` lacks `for`",
		"soak: {fro: 1h}\n":                  "unknown key `fro`",
		"for: 1h\n":                          "`for` can't stand here",
		"rules: {a: []}\n":                   "`a` needs at least 1",
		"rules: {a: [1h]}\n":                 "an entry of `a` wants a mapping",
		"rules: {a: 1h}\n":                   "`a` wants a mapping",
		"rules: {a: }\n":                     "`a` lacks `for`",
	} {
		err := Decode("x", []byte(src), &waits{}).Err()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", src, err, want)
		}
		value, perr := Plain([]byte(src))
		if perr != nil {
			t.Fatal(perr)
		}
		if refused := schema.Validate(value) != nil; refused != (want != "") {
			t.Errorf("%q: the schema refuses it: %v", src, refused)
		}
	}
}
