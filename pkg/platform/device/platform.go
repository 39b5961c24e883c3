// Package device knows what has its own command line instead of a shell, or is no server:
// network gear, load balancers, storage, appliances. What differs between them is data, one
// definition each; this package compiles and checks definitions, tells from what a device
// prints which one it is, and reads its facts. It is pure: text in, values out. How one is
// upgraded is package workflow.
package device

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// Platform is a definition that was checked, with its patterns compiled.
type Platform struct {
	Definition Definition
	// Digest is of what the definition says, whatever its layout and comments.
	Digest   patch.Digest
	compiled map[string]*regexp.Regexp
}

// Parse reads, compiles and lints one definition. The error is *document.Problems.
func Parse(path string, src []byte) (*Platform, error) {
	p := &Platform{compiled: map[string]*regexp.Regexp{}}
	f := document.Decode(path, src, &p.Definition)
	if !f.Broken() {
		lint(f, places(path, src), p)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	p.Digest = digest(&p.Definition)
	return p, nil
}

// Schema is the JSON Schema of a definition's file.
func Schema() []byte { return document.Schema("patchring platform", Definition{}) }

func digest(d *Definition) patch.Digest {
	// What is written has a bound and holds maps, lists and plain values only; whatever may
	// not be encoded still is told apart by the error's text.
	b, err := json.Marshal(canonical(reflect.ValueOf(d).Elem()))
	if err != nil {
		b = fmt.Appendf(nil, "%v: %+v", err, *d)
	}
	return patch.DigestOf(b)
}

// Name is the platform's.
func (p *Platform) Name() fact.Platform { return fact.Platform(p.Definition.Name) }

// Re is a pattern of the definition, compiled in multi-line mode. What is none of its
// patterns, or empty, matches nothing.
func (p *Platform) Re(pattern string) *regexp.Regexp {
	if re, ok := p.compiled[pattern]; ok && pattern != "" {
		return re
	}
	return nothing
}

// nothing matches no text.
var nothing = regexp.MustCompile(`[^\s\S]`)

// compile gives a pattern as remote.Pattern means it.
func compile(pattern string) (*regexp.Regexp, error) { return regexp.Compile("(?m)" + pattern) }

// Dialect is how this platform's command line talks.
func (p *Platform) Dialect() *remote.Dialect {
	s := p.Definition.Session
	d := &remote.Dialect{
		Name: p.Definition.Name, Prompt: remote.Pattern(s.Prompt), Newline: s.Newline,
		Login: Questions(s.Login), Shell: Questions(s.Shell), Open: s.Open, Pager: Questions(s.Pager),
		Errors: patterns(s.Errors), Async: patterns(s.Async), Stop: patterns(s.Stop),
		Cancel: s.Cancel, Exec: s.Exec, Columns: s.Columns, Quiet: s.Quiet,
	}
	if s.Enable != nil {
		d.Enable = &remote.Raise{Send: s.Enable.Cmd, Ask: Questions(s.Enable.Ask), Prompt: remote.Pattern(s.Enable.Prompt)}
	}
	return d
}

// Questions are a definition's questions as an Exchange has them.
func Questions(rows []Question) []remote.Question {
	made := make([]remote.Question, 0, len(rows))
	for _, q := range rows {
		made = append(made, remote.Question{Ask: remote.Pattern(q.Re), Answer: q.Send, Secret: q.Secret, Key: q.Key, Times: q.Times})
	}
	return made
}

func patterns(texts []string) []remote.Pattern {
	var made []remote.Pattern
	for _, t := range texts {
		made = append(made, remote.Pattern(t))
	}
	return made
}

// Asked are what a command of an upgrade may ask: its own rows, then those of
// questions.NAME.
func (p *Platform) Asked(name string, own []Question) []remote.Question {
	rows := slices.Clone(own)
	for _, e := range p.Definition.Questions.Entries {
		if e.Key == name {
			rows = append(rows, e.Value...)
		}
	}
	return Questions(rows)
}

// Commands are those that the facts need, each once, in the order in which the facts
// name them. None has a placeholder: room and digests are asked for one by one.
func (p *Platform) Commands() []string {
	asked := p.Definition
	asked.Facts = asked.Facts.live()
	return commandsOf(&asked)
}

func commandsOf(d *Definition) []string {
	var list []string
	for _, t := range texts(d) {
		part, _, _ := strings.Cut(strings.ReplaceAll(t.path, "[", "."), ".")
		if t.kind == isCommand && slices.Contains([]string{"facts", "refuse", "boot_time"}, part) && !slices.Contains(list, t.text) {
			list = append(list, t.text)
		}
	}
	return list
}

// Values fill the braces of a command.
type Values map[string]string

// placeholder is what stands for a value in a command.
var placeholder = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)

// The grammars of values. One goes into a device's command line as it stands: nothing that
// could end a word or begin another command is let in.
var (
	pathForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+:/-]{0,254}$|^/[A-Za-z0-9._+:/-]{1,254}$`)
	fileForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
	fsForm     = regexp.MustCompile(`^/?[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$|^/$`)
	urlForm    = regexp.MustCompile(`^https?://[A-Za-z0-9.:\[\]-]{1,255}(/[A-Za-z0-9._+~/-]{0,255})?$`)
	releaseOf  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._()+:-]{0,63}$`)
	memberForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,31}$|^/[A-Za-z0-9._/-]{1,31}$`)
	numberForm = regexp.MustCompile(`^[0-9]{1,15}$`)
	hexForm    = regexp.MustCompile(`^[0-9a-f]{32,128}$`)
)

// grammars are the placeholders there are, each with what may come in.
func grammars() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"path": pathForm, "file": fileForm, "fs": fsForm, "url": urlForm, "version": releaseOf, "build": releaseOf,
		"slot": memberForm, "n": memberForm, "other": memberForm, "vrf": memberForm, "name": memberForm,
		"minutes": numberForm, "job": numberForm, "size": numberForm, "digest": hexForm,
	}
}

// Fill puts values into a command. A value that is missing, or that its placeholder's
// grammar refuses, is an error; nothing is ever quoted or cut.
func (p *Platform) Fill(cmd string, values Values) (string, error) { return fill(cmd, values) }

func fill(cmd string, values Values) (string, error) {
	var wrong error
	filled := placeholder.ReplaceAllStringFunc(cmd, func(hit string) string {
		name := hit[1 : len(hit)-1]
		grammar, known := grammars()[name]
		value, given := values[name]
		if !known || !given || !grammar.MatchString(value) || strings.Contains(value, "..") {
			wrong = &fault.Error{
				Kind: fault.GiveUp, Code: fault.HostFailed, What: fmt.Sprintf("%q can't stand for {%s} in %q", remote.Clean(value, 80), name, cmd),
				Hint: "only plain names and paths may go into a device's command",
			}
			return ""
		}
		return value
	})
	if wrong != nil {
		return "", wrong
	}
	return filled, nil
}
