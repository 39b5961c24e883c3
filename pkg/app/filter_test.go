package app

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/secret"
)

const planted = "pl4nt-of-a-test"

// says is a performer that answers with what it was given.
type says struct {
	entry rollout.Entry
	err   error
}

func (s says) Perform(context.Context, rollout.Task) (rollout.Entry, error) { return s.entry, s.err }

func TestNoSecretComesToTheJournal(t *testing.T) {
	filter := secret.NewFilter()
	filter.Add(secret.New(planted))
	text := "it said " + planted
	host := fact.HostID{Site: "s", Name: "h"}
	for _, c := range []struct{ gives, want rollout.Entry }{
		{
			rollout.StepEnded{Host: host, Reasons: []string{text}, Notes: []string{text}, Out: map[string]string{planted: text}, Checks: []health.Result{{Check: planted, Seen: text}}},
			rollout.StepEnded{Host: host, Reasons: []string{"it said [secret]"}, Notes: []string{"it said [secret]"}, Out: map[string]string{planted: "it said [secret]"}, Checks: []health.Result{{Check: planted, Seen: "it said [secret]"}}},
		},
		{rollout.Sampled{Changed: map[string]string{"h": text}}, rollout.Sampled{Changed: map[string]string{"h": "it said [secret]"}}},
		{rollout.Asked{Check: "x", Seen: text}, rollout.Asked{Check: "x", Seen: "it said [secret]"}},
		{rollout.StepEnded{Host: host}, rollout.StepEnded{Host: host}},
	} {
		got, err := silent{says{entry: c.gives}, filter}.Perform(t.Context(), rollout.Task{})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, c.want)
		}
		if got, _ := (silent{says{entry: c.gives}, nil}).Perform(t.Context(), rollout.Task{}); !reflect.DeepEqual(got, c.gives) {
			t.Errorf("without a filter: %+v", got)
		}
	}
}

// Each field of an entry that a performer gives is looked at here once: whoever adds a text
// says whether it is free.
func TestEveryFieldIsDecidedUpon(t *testing.T) {
	decided := map[string]string{
		"StepEnded": "Host Step Outcome Code Reasons Notes Began Checks Proven Reboots Before After Collected Out",
		"Sampled":   "Ring Pass Fail Unknown Changed Samples",
		"Asked":     "Ring Check When Verdict Seen",
		"Result":    "Check Verdict Seen Tries",
	}
	for _, of := range []any{rollout.StepEnded{}, rollout.Sampled{}, rollout.Asked{}, health.Result{}} {
		kind := reflect.TypeOf(of)
		known := strings.Fields(decided[kind.Name()])
		for field := range kind.Fields() {
			if !slices.Contains(known, field.Name) {
				t.Errorf("%s.%s: decide in filter_journal.go whether it is free text, then name it here", kind.Name(), field.Name)
			}
		}
	}
}

func TestErrorsOfPerformersAreFiltered(t *testing.T) {
	filter := secret.NewFilter()
	filter.Add(secret.New(planted))
	var p engine.Performer = silent{says{err: &fault.Error{Code: fault.Unreachable, What: "it said " + planted}}, filter}
	_, err := p.Perform(t.Context(), rollout.Task{})
	if err == nil || strings.Contains(err.Error(), planted) || fault.CodeOf(err) != fault.Unreachable {
		t.Errorf("%v", err)
	}
	if own := (*fault.Error)(nil); !errors.As(err, &own) {
		t.Error("the fault is lost")
	}
}

func TestVariablesOfTheInventoryAreWithheld(t *testing.T) {
	ref, err := secret.ParseRef("env:B_PASS")
	if err != nil {
		t.Fatal(err)
	}
	other, err := secret.ParseRef("file:/x")
	if err != nil {
		t.Fatal(err)
	}
	var h inventory.Host
	h.Credentials = inventory.Credentials{Password: other, Become: ref, Enable: ref}
	got := secretVariables(&inventory.Inventory{Hosts: []inventory.Host{h, h}})
	if !reflect.DeepEqual(got, []string{"B_PASS"}) || secretVariables(nil) != nil {
		t.Error(got)
	}
}

// A literal where a reference belongs is an error that does not repeat it.
func TestVaultPasswordIsAReference(t *testing.T) {
	_, err := Env{}.newVault(Options{VaultPassword: planted}, nil)
	if err == nil || strings.Contains(err.Error()+fault.HintOf(err), planted) || !strings.Contains(fault.HintOf(err), "file:PATH") {
		t.Errorf("%v", err)
	}
	if _, err := (Env{}).newVault(Options{VaultPassword: "prompt"}, nil); err != nil {
		t.Error(err)
	}
}
