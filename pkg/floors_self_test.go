package pkg_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// A rule that can't fail is no rule: each is broken here on purpose, and must say so.
func TestFloorsSeeEachBreach(t *testing.T) {
	imports := func(names ...string) string {
		var src strings.Builder
		src.WriteString("// Package p is one.\npackage p\n")
		for _, n := range names {
			fmt.Fprintf(&src, "import _ %q\n", strings.Replace(n, "own:", module+"/", 1))
		}
		return src.String()
	}
	body := func(code string) string { return "// Package p is one.\npackage p\n" + code }
	tests := []struct {
		rule, name, src string
	}{
		{"floor", "pkg/plan/a.go", imports("own:pkg/rollout")},
		{"floor", "pkg/plan/a.go", imports("own:pkg/nowhere")},
		{"floor", "pkg/plan/a.go", imports("own:pkg/lab")},
		{"floor", "pkg/plan/a_test.go", imports("own:pkg/engine")},
		{"home", "pkg/plan/a.go", imports("gopkg.in/yaml.v3")},
		{"home", "pkg/plan/a.go", imports("golang.org/x/crypto/ssh/agent")},
		{"home", "pkg/report/a.go", imports("github.com/spf13/cobra")},
		{"home", "pkg/plan/a.go", imports("pgregory.net/rapid")},
		{"home", "pkg/plan/a_test.go", imports("gopkg.in/yaml.v3")},
		{"home", "pkg/plan/a.go", imports("example.org/unheard/of")},
		{"lab", "pkg/lab/a.go", imports("own:pkg/remote")},
		{"lab", "pkg/lab/posix/a_test.go", imports("own:pkg/job")},
		{"journal", "pkg/journal/a.go", imports("own:pkg/rollout")},
		{"journal", "pkg/journal/journaltest/a.go", imports("own:pkg/rollout")},
		{"test helpers", "pkg/engine/a.go", imports("own:pkg/journal/journaltest")},
		{"pure imports", "pkg/rollout/a.go", imports("os")},
		{"pure imports", "pkg/secret/a.go", imports("net/http")},
		{"pure imports", "pkg/plan/a.go", imports("crypto/rand")},
		{"pure clock", "pkg/rollout/a.go", body("import \"time\"\nfunc f() time.Time { return time.Now() }")},
		{"pure clock", "pkg/plan/a.go", body("import clock \"time\"\nfunc f() func() clock.Time { return clock.Now }")},
		{"pure clock", "pkg/plan/a.go", body("import \"time\"\nfunc f(t time.Time) any { return time.Since(t) }")},
		{"sleep", "pkg/connect/a.go", body("import \"time\"\nfunc f() { time.Sleep(1) }")},
		{"sleep", "pkg/connect/a_test.go", body("import \"time\"\nfunc f() { time.Sleep(1) }")},
		{"context", "pkg/connect/a.go", body("import \"context\"\nfunc f() any { return context.Background() }")},
		{"context", "pkg/connect/a.go", body("import \"context\"\nfunc f() any { return context.TODO() }")},
		{"init", "pkg/connect/a.go", body("func init() {}")},
		{"state", "pkg/connect/a.go", body("var cache = map[string]int{}")},
		{"state", "pkg/connect/a.go", body("var n int")},
		{"state", "pkg/connect/a.go", body("var (\n\tErrX = 1\n\tcache []int\n)")},
		{"state", "pkg/connect/a.go", body("import \"regexp\"\nvar re = regexp.QuoteMeta(\"x\")")},
		{"state", "pkg/connect/a.go", body("var hosts = []string{\"a\"}")},
		{"state", "pkg/connect/a.go", body("var names = [...]any{f()}")},
		{"state", "pkg/connect/a_test.go", body("var hosts = []string{}")},
		{"state", "pkg/connect/a_test.go", body("var hosts = map[string]int{\"a\": 1}")},
		{ruleNoFloor, "pkg/utils/a.go", imports()},
		{ruleNoFloor, "cmd/other/a.go", imports()},
		{ruleComment, "pkg/plan/a.go", "package p\n"},
		{ruleComment, "pkg/plan/a.go", "// Stuff about plans.\npackage p\n"},
	}
	broken := map[string]bool{}
	for _, tt := range tests {
		got := check(parsed(t, map[string]string{tt.name: tt.src}))
		if len(got) != 1 || got[0].rule != tt.rule {
			t.Errorf("%s with\n%s\nwant a breach of %q, got %v", tt.name, tt.src, tt.rule, got)
		}
		broken[tt.rule] = true
	}
	for _, r := range rules() {
		if !broken[r.name] {
			t.Errorf("no breach of rule %q is tried here", r.name)
		}
	}
}

// What is allowed must stay allowed.
func TestFloorsLetPass(t *testing.T) {
	files := map[string]string{
		"pkg/rollout/a.go": "// Package rollout is one.\npackage rollout\nimport (\"context\"\n\"time\"\n\"" + module + "/pkg/plan\")\n" +
			"var ErrX = context.Canceled\nvar _ = plan.X(0)\nfunc f(t time.Time) time.Time { return t.Add(time.Hour) }\nvar names = [...]string{\"unknown\", \"no\"}",
		"pkg/rollout/a_test.go": "package rollout\nimport (\"os\"\n\"time\"\n\"context\"\n\"flag\"\n\"pgregory.net/rapid\"\n\"" + module + "/pkg/lab\")\n" +
			"var update = flag.Bool(\"u\", false, \"\")\nvar _ = lab.X\nvar web = []string{\"web\"}\nvar day = time.Date(1)\nfunc f() { _ = time.Now(); _ = context.Background(); _ = os.Args; _ = rapid.X }",
		"pkg/journal/a_test.go":     "// Package journal_test is one.\npackage journal_test\nimport _ \"" + module + "/pkg/journal\"\nimport _ \"" + module + "/pkg/journal/journaltest\"",
		"pkg/engine/a_test.go":      "// Package engine is one.\npackage engine\nimport (\"testing/synctest\"\n\"time\")\nfunc f() { time.Sleep(1); synctest.Wait() }",
		"pkg/document/a.go":         "// Package document is one.\npackage document\nimport _ \"gopkg.in/yaml.v3\"",
		"pkg/lab/a.go":              "// Package lab is one.\npackage lab\nimport _ \"mvdan.cc/sh/v3/interp\"\nimport _ \"" + module + "/pkg/document\"\nimport _ \"" + module + "/pkg/lab/posix\"",
		"cmd/patchring/main.go":     "// Patchring patches.\npackage main\nimport \"context\"\nimport _ \"github.com/spf13/cobra\"\nfunc main() { _ = context.Background() }",
		"pkg/connect/a.go":          "// Package connect is one.\npackage connect\nimport (_ \"embed\"\n\"errors\"\n\"regexp\")\n//go:embed x.sh\nvar script string\nvar re = regexp.MustCompile(`x`)\nvar notFound = errors.New(\"x\")\nvar _ I = (*T)(nil)",
		"pkg/rollout/testdata/x.go": "package broken because it is no package",
		"pkg/.cache/x.go":           "neither is this",
	}
	for _, p := range check(parsed(t, files)) {
		t.Error(p)
	}
}

func parsed(t *testing.T, sources map[string]string) []file {
	t.Helper()
	root := fstest.MapFS{}
	for name, src := range sources {
		root[name] = &fstest.MapFile{Data: []byte(src)}
	}
	files, err := parseAll(root)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
