package pkg_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// file is one source file.
type file struct {
	dir  string // "pkg/rollout"
	name string
	test bool
	ast  *ast.File
	set  *token.FileSet
}

// problem is one breach: which rule, where, what.
type problem struct{ rule, at, what string }

func (p problem) String() string { return p.at + ": " + p.what + " (rule: " + p.rule + ")" }

// rule looks at one file and says what is wrong with it, each with its place.
type rule struct {
	name  string
	check func(f file, say func(at ast.Node, format string, args ...any))
}

// rules are every rule about a single file. Two more are about folders, see check.
func rules() []rule {
	return []rule{
		{"floor", checkFloor},
		{"home", checkHomes},
		{"lab", checkLab},
		{"journal", checkJournal},
		{"test helpers", checkHelpers},
		{"pure imports", checkPureImports},
		{"pure clock", checkPureClock},
		{"sleep", checkSleep},
		{"context", checkContext},
		{"init", checkInit},
		{"state", checkState},
	}
}

const (
	ruleNoFloor = "no floor"
	ruleComment = "package comment"
)

// parseAll reads every Go file of pkg and cmd. Hidden folders and testdata are left out.
func parseAll(root fs.FS) ([]file, error) {
	var files []file
	for _, top := range []string{"pkg", "cmd"} {
		if _, err := fs.Stat(root, top); err != nil {
			continue
		}
		err := fs.WalkDir(root, top, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			if d.IsDir() || path.Ext(name) != ".go" {
				return nil
			}
			f, err := parse(root, name)
			files = append(files, f)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func parse(root fs.FS, name string) (file, error) {
	src, err := fs.ReadFile(root, name)
	if err != nil {
		return file{}, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, src, parser.ParseComments)
	return file{dir: path.Dir(name), name: name, test: strings.HasSuffix(name, "_test.go"), ast: tree, set: set}, err
}

// check holds files to every rule, in a stable order.
func check(files []file) []problem {
	var out []problem
	for _, f := range files {
		for _, r := range rules() {
			r.check(f, func(at ast.Node, format string, args ...any) {
				pos := f.set.Position(at.Pos())
				out = append(out, problem{r.name, fmt.Sprintf("%s:%d", pos.Filename, pos.Line), fmt.Sprintf(format, args...)})
			})
		}
	}
	return append(out, checkFolders(files)...)
}

// checkFolders: every folder stands on a floor, and every package says what it is.
func checkFolders(files []file) []problem {
	comment, product := map[string]bool{}, map[string]bool{}
	for _, f := range files {
		product[f.dir] = product[f.dir] || !f.test
		said := f.ast.Doc.Text()
		comment[f.dir] = comment[f.dir] || strings.HasPrefix(said, "Package ") || f.ast.Name.Name == "main" && said != ""
	}
	var out []problem
	for _, dir := range slices.Sorted(maps.Keys(comment)) {
		if dir != "pkg" && floorOf(dir) < 0 && !slices.Contains(outside(), dir) {
			out = append(out, problem{ruleNoFloor, dir, "stands on no floor: give it a place in floors_test.go"})
		}
		if !comment[dir] {
			out = append(out, problem{ruleComment, dir, "has no package comment"})
		}
	}
	return out
}

func floorOf(dir string) int { return slices.Index(floors(), dir) }

// imported gives the imports of a file, of our own module as folders.
func imported(f file) (own, foreign map[string]ast.Node) {
	own, foreign = map[string]ast.Node{}, map[string]ast.Node{}
	for _, spec := range f.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if dir, ok := strings.CutPrefix(name, module+"/"); ok && err == nil {
			own[dir] = spec
		} else {
			foreign[name] = spec
		}
	}
	return own, foreign
}

type teller = func(at ast.Node, format string, args ...any)

func checkFloor(f file, say teller) {
	own, _ := imported(f)
	here := floorOf(f.dir)
	if here < 0 {
		return
	}
	for dir, at := range own {
		there := floorOf(dir)
		switch {
		case f.test && (dir == f.dir || slices.Contains(outside(), dir) || strings.HasPrefix(dir, f.dir+"/")):
		case slices.Contains(outside(), dir) && (f.dir == "pkg/app" || f.dir == "cmd/patchring"): // demo and lab
		case there < 0 || there >= here:
			say(at, "%s may import only what stands above it, and %s does not", f.dir, dir)
		}
	}
}

func checkHomes(f file, say teller) {
	_, foreign := imported(f)
	for name, at := range foreign {
		if !strings.Contains(strings.Split(name, "/")[0], ".") {
			continue // the standard library
		}
		i := slices.IndexFunc(homes(), func(h home) bool { return name == h.library || strings.HasPrefix(name, h.library+"/") })
		switch {
		case i < 0:
			say(at, "%s has no home: give it one in floors_test.go", name)
		case f.test && homes()[i].in == nil:
		case !slices.Contains(homes()[i].in, f.dir):
			say(at, "%s may be imported in %v alone", homes()[i].library, homes()[i].in)
		}
	}
}

// checkLab: the fleet must not share the product's mistakes, so it shares no code.
func checkLab(f file, say teller) {
	if !slices.Contains(outside(), f.dir) {
		return
	}
	own, _ := imported(f)
	for dir, at := range own {
		if dir != "pkg/document" && !slices.Contains(outside(), dir) {
			say(at, "%s stands outside and may import no product package but document", f.dir)
		}
	}
}

// checkJournal: what records mean is not the journal's to know.
func checkJournal(f file, say teller) {
	own, _ := imported(f)
	if at, ok := own["pkg/rollout"]; ok && (f.dir == "pkg/journal" || path.Dir(f.dir) == "pkg/journal") {
		say(at, "the journal must not know what its records mean")
	}
}

// checkHelpers: a package for tests is imported by tests.
func checkHelpers(f file, say teller) {
	own, _ := imported(f)
	for dir, at := range own {
		if strings.HasSuffix(dir, "test") && !f.test && !strings.HasSuffix(f.dir, "test") {
			say(at, "%s is for tests", dir)
		}
	}
}

// pure floors decide: values in, values and reasons out.
func pure(f file) bool {
	here := floorOf(f.dir)
	return here >= 0 && here <= floorOf(lastPure) && !f.test && !strings.HasSuffix(f.dir, "test")
}

func checkPureImports(f file, say teller) {
	if !pure(f) {
		return
	}
	_, foreign := imported(f)
	for _, name := range []string{"os", "os/exec", "os/signal", "os/user", "net", "net/http", "syscall", "log", "path/filepath", "math/rand", "math/rand/v2", "crypto/rand"} {
		if at, ok := foreign[name]; ok {
			say(at, "%s is pure and may not import %s", f.dir, name)
		}
	}
}

func checkPureClock(f file, say teller) {
	if !pure(f) {
		return
	}
	for _, name := range []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"} {
		uses(f, "time", name, func(at ast.Node) { say(at, "%s is pure: time comes in as an argument, not by time.%s", f.dir, name) })
	}
}

// checkSleep: nothing sleeps for luck. In a synctest bubble time is not real.
func checkSleep(f file, say teller) {
	_, foreign := imported(f)
	if _, bubble := foreign["testing/synctest"]; bubble && f.test {
		return
	}
	uses(f, "time", "Sleep", func(at ast.Node) { say(at, "wait for an event, don't sleep") })
}

func checkContext(f file, say teller) {
	if f.test || f.ast.Name.Name == "main" {
		return
	}
	for _, name := range []string{"Background", "TODO"} {
		uses(f, "context", name, func(at ast.Node) { say(at, "context.%s belongs into main: pass a context", name) })
	}
}

// uses finds each use of pkg.name, by whatever name the package is imported.
func uses(f file, pkg, name string, found func(ast.Node)) {
	local := ""
	for _, spec := range f.ast.Imports {
		if spec.Path.Value == strconv.Quote(pkg) {
			if local = path.Base(pkg); spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	if local == "" {
		return
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && sel.Sel.Name == name {
			found(sel)
		}
		return true
	})
}
