package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/document"
)

// shape writes a tree on one line, so that a test can compare it.
func shape(n document.Node) string {
	if len(n.Items) == 0 {
		return fmt.Sprintf("%s%s%q", n.Key, n.Tag, n.Text)
	}
	var items []string
	for _, item := range n.Items {
		items = append(items, shape(item))
	}
	return n.Key + n.Tag + "(" + strings.Join(items, " ") + ")"
}

func TestTreeKeepsOrderAndTags(t *testing.T) {
	for src, want := range map[string]string{
		"b: 1\na: {y: [x, 2.5, true, null]}": `!!map(b!!int"1" a!!map(y!!seq(!!str"x" !!float"2.5" !!bool"true" !!null"null")))`,
		"a: !vault |\n  x\n  y\n":            `!!map(a!vault"x\ny\n")`,
		"d: 2024-01-02":                      `!!map(d!!timestamp"2024-01-02")`,
		"- a":                                `!!seq(!!str"a")`,
	} {
		n, err := document.Tree([]byte(src))
		if err != nil || shape(n) != want {
			t.Errorf("%q: %s, %v; want %s", src, shape(n), err, want)
		}
	}
	for src, wrong := range map[string]string{
		"a: &x 1\nb: *x": "an alias", "a: 1\na: 2": "stands twice", "<<: {a: 1}": "stands twice", "? [a]\n: b": "no text",
		"a: 1\n---\nb: 2": "more than one document", "a: [": "did not find", strings.Repeat("[", 200) + strings.Repeat("]", 200): "deeper than",
		strings.Repeat("#", document.MaxBytes+1): "larger than", "": "EOF",
	} {
		if _, err := document.Tree([]byte(src)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%.40q: %v, want %q", src, err, wrong)
		}
	}
}

func FuzzTree(f *testing.F) {
	f.Add([]byte("a: {b: [1, x]}\nc: !t |\n  y\n"))
	f.Add([]byte("a: &x 1\nb: *x"))
	f.Fuzz(func(t *testing.T, src []byte) {
		n, err := document.Tree(src)
		again, err2 := document.Tree(src)
		if (err == nil) != (err2 == nil) || err == nil && shape(n) != shape(again) {
			t.Fatalf("%q: %v, %v", src, err, err2)
		}
	})
}
