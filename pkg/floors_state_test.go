package pkg_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

func checkInit(f file, say teller) {
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			say(fn, "no init functions: what is imported must not act by itself")
		}
	}
}

// checkState: package variables are errors, embedded files, compiled regexps, arrays
// of literals (Go has no constant ones) and compile-time assertions; in tests also
// flags, and values that are written out, but no maps.
func checkState(f file, say teller) {
	for _, d := range f.ast.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, s := range gen.Specs {
			if v, ok := s.(*ast.ValueSpec); ok && !stateless(f, gen, v) {
				say(v, "package variable %s is state: pass it along instead", v.Names[0].Name)
			}
		}
	}
}

func stateless(f file, gen *ast.GenDecl, v *ast.ValueSpec) bool {
	if v.Names[0].Name == "_" || strings.Contains(directives(gen.Doc)+directives(v.Doc), "//go:embed") {
		return true
	}
	if len(v.Values) == 0 {
		return false
	}
	for i, value := range v.Values {
		if !constant(f, v.Names[i].Name, value) {
			return false
		}
	}
	return true
}

func directives(doc *ast.CommentGroup) string {
	var text strings.Builder
	if doc != nil {
		for _, c := range doc.List {
			text.WriteString(c.Text + "\n")
		}
	}
	return text.String()
}

// constant: a value that nobody changes, though the language has no word for it.
func constant(f file, name string, value ast.Expr) bool {
	if strings.HasPrefix(strings.ToLower(name), "err") {
		return true
	}
	if lit, ok := value.(*ast.CompositeLit); ok {
		return writtenOut(f, lit)
	}
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, _ := sel.X.(*ast.Ident)
	switch {
	case from == nil:
		return false
	case from.Name == "regexp":
		return sel.Sel.Name == "MustCompile" || sel.Sel.Name == "MustCompilePOSIX"
	case from.Name == "errors":
		return sel.Sel.Name == "New"
	}
	return f.test && (from.Name == "flag" || from.Name == "time" && sel.Sel.Name == "Date")
}

// writtenOut: an array of literals; in tests anything with a content but a map.
func writtenOut(f file, lit *ast.CompositeLit) bool {
	if _, isMap := lit.Type.(*ast.MapType); isMap || len(lit.Elts) == 0 {
		return false
	}
	array, ok := lit.Type.(*ast.ArrayType)
	if f.test || !ok || array.Len == nil {
		return f.test
	}
	return !slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool {
		_, literal := e.(*ast.BasicLit)
		return !literal
	})
}
