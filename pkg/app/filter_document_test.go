package app

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/secret"
)

// hardToFind are values of which renderers leave nothing that a filter behind them knows:
// tables break them at blanks and signs, Markdown puts backslashes into them.
func hardToFind() []string {
	return []string{"correct horse battery staple", "P@ssw0rd_2026!*[x]", strings.Repeat("LongTokenWithoutAnySpaces-0123456789.", 4)}
}

// TestNoSecretIsLaidOut: documents are filtered before they are tables and Markdown.
func TestNoSecretIsLaidOut(t *testing.T) {
	for _, value := range hardToFind() {
		filter := secret.NewFilter()
		filter.Add(secret.New(value))
		host := fact.HostID{Site: "s", Name: "web-01"}
		doc := report.NewDoctor([]report.Examined{{
			Host: host, Facts: fact.Facts{Host: host, Manager: fact.Manager{Name: "apt"}},
			Tried: []report.Test{{Name: report.TestPrivilege, Result: "fail", Seen: "sudo said: sorry, the password that was given here is wrong: " + value + " and so on"}},
		}})
		for _, format := range report.Formats() {
			for _, width := range []int{40, 80, 120} {
				var out bytes.Buffer
				e := Env{Width: width, Secrets: Secrets{Filter: filter}}
				if err := e.write(&out, doc, format, false); err != nil {
					t.Fatal(err)
				}
				if text := strings.ReplaceAll(out.String(), `\`, ""); !strings.Contains(text, secret.Hidden) || strings.Contains(text, "horse") || strings.Contains(text, "ssw0rd") || strings.Contains(text, "LongToken") {
					t.Errorf("%s, %d columns: %q shows\n%s", format, width, value, text)
				}
			}
		}
	}
}

// TestNoSecretIsShownLive: nor does the live view break what it then can't find.
func TestNoSecretIsShownLive(t *testing.T) {
	value := hardToFind()[0]
	filter := secret.NewFilter()
	filter.Add(secret.New(value))
	for _, tty := range []bool{true, false} {
		var out bytes.Buffer
		w := Env{Out: &out, OutTTY: tty, Width: 34, Now: time.Now, Secrets: Secrets{Filter: filter}}.watch(Options{})
		w.note(time.Now(), "it wants to be told the "+value+" again")
		w.show(rollout.Event{Entry: rollout.Aborted{Reason: "it wants to be told the " + value + " again"}}, &rollout.State{})
		w.idle(time.Now(), []rollout.Wait{{Ring: "test", For: "somebody who says the " + value}})
		if err := w.close(nil); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); !strings.Contains(text, secret.Hidden) || strings.Contains(text, "battery") {
			t.Errorf("terminal %t: %s", tty, text)
		}
	}
}

// TestNoSecretComesIntoAPlan: what hosts print stands in its problems.
func TestNoSecretComesIntoAPlan(t *testing.T) {
	filter := secret.NewFilter()
	filter.Add(secret.New(planted))
	given := fact.Facts{Manager: fact.Manager{Detail: planted}, Problems: []fact.Problem{{What: planted, Detail: "it said " + planted}}}
	got := quietFacts(filter, given)
	if got.Manager.Detail != secret.Hidden || got.Problems[0] != (fact.Problem{What: planted, Detail: "it said [secret]"}) || given.Problems[0].Detail != "it said "+planted {
		t.Errorf("%+v", got)
	}
	err := quietError(filter, &fault.Error{Code: fault.Unreachable, What: "it said " + planted})
	if p := problemOf(err); strings.Contains(p.What, planted) || p.Code != string(fault.Unreachable) || quietError(filter, nil) != nil {
		t.Errorf("%+v", p)
	}
}

// TestSecretThatBecomesPublicIsTold: it stays legible from then on.
func TestSecretThatBecomesPublicIsTold(t *testing.T) {
	var errs bytes.Buffer
	e := Env{Err: &errs, Secrets: Secrets{Filter: secret.NewFilter()}}
	e.Secrets.Filter.Add(secret.New(planted))
	e.public("web")
	if errs.Len() > 0 {
		t.Error(errs.String())
	}
	if e.public("x-" + planted); !strings.Contains(errs.String(), "1 of the secrets") || strings.Contains(errs.String(), planted) {
		t.Error(errs.String())
	}
}

type nested struct {
	Name   string            `json:"planted-of-a-test"`
	Texts  []string          `json:"texts"`
	Values map[string]string `json:"values"`
	Any    any               `json:"any"`
	Below  *nested           `json:"below"`
	Raw    json.RawMessage   `json:"raw"`
	At     time.Time         `json:"at"`
	Pair   [2]string         `json:"pair"`
	Rows   []nested          `json:"rows"`
}

// TestQuietedIsACopy: every text of any type is filtered, no key is, and what was given stays.
func TestQuietedIsACopy(t *testing.T) {
	build := func(text string) nested {
		return nested{
			Name: text, Texts: []string{text}, Values: map[string]string{planted: text}, Any: []any{text, 1}, At: time.Unix(1, 0).UTC(),
			Below: &nested{Name: text}, Raw: json.RawMessage(`"` + text + `"`), Pair: [2]string{text, "x"}, Rows: []nested{{Name: text}},
		}
	}
	filter := secret.NewFilter()
	filter.Add(secret.New(planted))
	given := build("it said " + planted)
	if got := quieted(filter, given); !reflect.DeepEqual(got, build("it said [secret]")) {
		t.Errorf("%+v", got)
	}
	if !reflect.DeepEqual(given, build("it said "+planted)) {
		t.Errorf("what was given is changed: %+v", given)
	}
	if got := quieted(nil, given); !reflect.DeepEqual(got, given) {
		t.Errorf("without a filter: %+v", got)
	}
	var none report.Document
	if quieted(filter, none) != nil {
		t.Error("of no document one was made")
	}
}
