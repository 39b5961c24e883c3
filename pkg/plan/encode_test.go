package plan

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden plan has windows, gates, budgets, stages and all else that a playbook asks for.
func TestGoldenPlan(t *testing.T) {
	raw, err := Encode(build(t, everything(t)))
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "plan.v1.json")
	if *update {
		if err := os.WriteFile(golden, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, want) {
		t.Errorf("the plan is written as\n%s\nand was\n%s", raw, want)
	}
}

// Plans that earlier builds wrote are read by every later one, and keep their digest:
// open rollouts are bound to it. plan.v1.first.json is from before there were gates.
func TestOldPlans(t *testing.T) {
	for _, name := range []string{"plan.v1.first.json", "plan.v1.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Encode(p)
		if err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s: a plan that was read is written in another way (%v)", name, err)
		}
		if d, err := Digest(p); err != nil || d != patch.DigestOf(raw) {
			t.Errorf("%s: its digest is %s (%v)", name, d, err)
		}
	}
}

// The same facts give the same bytes, however often.
func TestSameBytes(t *testing.T) {
	first, err := Encode(build(t, everything(t)))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, err := Encode(build(t, everything(t))); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("another plan (%v)", err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		text string
		code fault.Code
	}{
		{`{"version":2}`, fault.Unsupported},
		{`{"version":2,"colour":"red"}`, fault.Unsupported},
		{`{}`, fault.Unsupported},
		{`{"version":1,"colour":"red"}`, fault.Usage},
		{`{"version":1}{}`, fault.Usage},
		{`{"version":1`, fault.Usage},
		{`[]`, fault.Usage},
		{``, fault.Usage},
		{`{"version":1,"hosts":[{"host":"nowhere"}]}`, fault.Usage},
	}
	for _, tt := range tests {
		_, err := Decode([]byte(tt.text))
		if fault.CodeOf(err) != tt.code || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (%s), want %s", tt.text, err, fault.CodeOf(err), tt.code)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"plan.v1.first.json", "plan.v1.json"} {
		golden, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
	}
	f.Add([]byte(`{"version":1,"hosts":[{"host":"hq/a"}]}`))
	f.Add([]byte(`{"version":1,"calendar":{"windows":{},"freezes":[]},"rings":[{"name":"a","gate":{"checks":[]}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Decode(raw)
		if err != nil {
			return
		}
		out, err := Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(out)
		if err != nil {
			t.Fatalf("%s was written as %s: %v", raw, out, err)
		}
		if third, err := Encode(back); err != nil || !bytes.Equal(out, third) {
			t.Errorf("%s, then %s (%v)", out, third, err)
		}
	})
}

// The worked examples of Batches and Limit, and the edges.
func TestBatches(t *testing.T) {
	n := func(n int) playbook.Size { return playbook.Size{N: n} }
	pc := func(n int) playbook.Size { return playbook.Size{N: n, Percent: true} }
	for _, tt := range []struct {
		n     int
		sizes []playbook.Size
		want  string
	}{
		{10, []playbook.Size{n(1), pc(10), pc(50)}, "[1 1 5 3]"},
		{3, []playbook.Size{pc(50)}, "[1 1 1]"},
		{199, []playbook.Size{pc(1), pc(100)}, "[1 198]"},
		{7, nil, "[7]"},
		{0, []playbook.Size{n(1)}, "[]"},
		{2, []playbook.Size{n(5)}, "[2]"},
		{3, []playbook.Size{n(0)}, "[1 1 1]"},
		{2, []playbook.Size{n(-4)}, "[1 1]"},
		{4, []playbook.Size{pc(300)}, "[4]"},
		{100, []playbook.Size{n(1), pc(10), pc(33)}, "[1 10 33 33 23]"},
	} {
		if got := fmt.Sprint(Batches(tt.n, tt.sizes)); got != tt.want {
			t.Errorf("%d in %v: %s, want %s", tt.n, tt.sizes, got, tt.want)
		}
	}
	for _, tt := range []struct {
		n    int
		size playbook.Size
		want int
	}{
		{100, pc(2), 2}, {40, pc(2), 0}, {3, n(5), 3}, {5, pc(20), 1}, {99, pc(1), 0}, {0, pc(50), 0}, {10, n(0), 0}, {10, n(-1), 0}, {10, pc(100), 10},
	} {
		if got := Limit(tt.n, tt.size); got != tt.want {
			t.Errorf("%v of %d: %d, want %d", tt.size, tt.n, got, tt.want)
		}
	}
}

func TestSecurityLeft(t *testing.T) {
	left := func(s patch.Tri, r patch.Reason) patch.Left {
		return patch.Left{Update: patch.Update{Security: s}, Reason: r}
	}
	n := SecurityLeft([]patch.Left{
		left(patch.Yes, patch.ReasonUntested), left(patch.Unknown, patch.ReasonHeld), left(patch.No, patch.ReasonUntested), left(patch.Yes, patch.ReasonInstalled),
	})
	if n != 2 {
		t.Errorf("%d, want 2", n)
	}
}

// Every field of a plan has a name in its JSON, so that none changes by a renaming.
func TestFieldsAreNamed(t *testing.T) {
	for _, v := range []any{Plan{}, Ring{}, Host{}, Problem{}, Gate{}, Approval{}, Budget{}, Peer{}, Quarantined{}} {
		for f := range reflect.TypeOf(v).Fields() {
			if strings.TrimSpace(f.Tag.Get("json")) == "" {
				t.Errorf("%T.%s has no json name", v, f.Name)
			}
		}
	}
}
