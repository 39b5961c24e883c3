package device

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
)

//go:embed definitions/*.yaml
var embedded embed.FS

// unchecked is the proof of what a user wrote or changed.
const unchecked = "unchecked"

// maxFiles bounds a user's folder.
const maxFiles = 500

// Library is all platforms that are known, each under one name.
type Library struct{ byName map[fact.Platform]*Platform }

// Embedded are the platforms that patchring itself brings. The error names every file
// that is wrong, as *document.Problems; the library holds the others all the same.
func Embedded() (Library, error) {
	sub, err := fs.Sub(embedded, "definitions")
	if err != nil {
		return Library{}, fmt.Errorf("the embedded definitions: %w", err)
	}
	return Library{}.with(sub, "")
}

// With adds the definitions of a user's folder, *.yaml. One of a name that is known
// already takes its place. None of them has been checked by anybody: their proof is
// "unchecked", whatever they say.
func (l Library) With(files fs.FS) (Library, error) { return l.with(files, unchecked) }

func (l Library) with(files fs.FS, proof string) (Library, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) > maxFiles {
		return Library{}, errors.Join(fmt.Errorf("%d definitions", len(names)), err)
	}
	made := Library{byName: maps.Clone(l.byName)}
	if made.byName == nil {
		made.byName = map[fact.Platform]*Platform{}
	}
	var wrong []error
	for _, name := range names {
		p, err := load(files, name)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if proof != "" {
			p.Definition.Proof = proof
		}
		made.byName[p.Name()] = p
	}
	return made, errors.Join(append(wrong, made.overs()...)...)
}

// load reads one file. Its name is the platform's, so that two files can't hold one.
func load(files fs.FS, name string) (*Platform, error) {
	src, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("definition %s: %w", name, err)
	}
	p, err := Parse(name, src)
	if err == nil && p.Definition.Name+".yaml" != path.Base(name) {
		f := document.Decode(name, src, &Definition{})
		f.Errorf(document.Pos{Line: 1, Col: 1}, "name the file "+p.Definition.Name+".yaml", "the file of %q has another name", p.Definition.Name)
		return nil, f.Err()
	}
	return p, err
}

// overs checks that match.over names platforms that exist.
func (l Library) overs() []error {
	var wrong []error
	for _, p := range l.All() {
		for _, other := range p.Definition.Match.Over {
			if _, ok := l.Find(fact.Platform(other)); !ok {
				wrong = append(wrong, fmt.Errorf("%s.yaml: match.over names %q, which is no platform", p.Name(), other))
			}
		}
	}
	return wrong
}

// Find gives the platform of a name.
func (l Library) Find(name fact.Platform) (*Platform, bool) {
	p, ok := l.byName[name]
	return p, ok
}

// All are the platforms in the order of their names.
func (l Library) All() []*Platform {
	all := slices.Collect(maps.Values(l.byName))
	slices.SortFunc(all, func(a, b *Platform) int { return strings.Compare(a.Definition.Name, b.Definition.Name) })
	return all
}
