package device

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// compiler gathers what is wrong with a file.
type compiler struct {
	kind *Kind
	errs []error
}

func compile(name string, file File) (*Kind, error) {
	k := &Kind{Name: name, file: file, parsed: map[string]*template.Template{}, patterns: map[string]*regexp.Regexp{}}
	k.base = template.New("").Option("missingkey=zero").Funcs(functions())
	c := &compiler{kind: k}
	c.texts()
	if c.console(); len(c.errs) == 0 {
		c.truth()
		c.commands()
		for _, name := range sortedKeys(file.Routines) {
			c.steps("routine "+name, file.Routines[name])
		}
		c.faults(file.Faults)
	}
	if err := errors.Join(c.errs...); err != nil {
		return nil, fmt.Errorf("the device file %s: %w", name, err)
	}
	return k, nil
}

func (c *compiler) wrong(where string, err error) {
	if err != nil && len(c.errs) < 20 {
		c.errs = append(c.errs, fmt.Errorf("%s: %w", where, err))
	}
}

func (c *compiler) texts() {
	for _, name := range sortedKeys(c.kind.file.Texts) {
		_, err := c.kind.base.New(name).Parse(c.kind.file.Texts[name])
		c.wrong("text "+name, err)
	}
}

var (
	errConsole = errors.New("lacks `console` with `modes` and a `start` among them")
	errText    = errors.New("there is no such text")
	errRoutine = errors.New("there is no such routine")
)

func (c *compiler) console() {
	f := &c.kind.file
	if f.SSH == nil {
		f.SSH = &SSH{}
	}
	if f.Console == nil || f.Console.Modes[f.Console.Start] == "" && !strings.Contains(f.Console.Start, "{{") {
		c.wrong("the file", errConsole)
		return
	}
	con := f.Console
	for _, text := range []string{con.Start, con.MOTD, con.Unknown, con.NotReady, con.Canceled, con.Log, f.SSH.Banner, f.SSH.VTYRefuse} {
		c.text("console", text)
	}
	for _, mode := range sortedKeys(con.Modes) {
		c.text("prompt of "+mode, con.Modes[mode])
	}
	if con.Pager != nil {
		c.text("pager", con.Pager.Prompt)
	}
}

// text parses a template, once.
func (c *compiler) text(where, text string) {
	k := c.kind
	if !strings.Contains(text, "{{") || k.parsed[text] != nil {
		return
	}
	t, err := k.base.New("#").Parse(text)
	c.wrong(where, err)
	k.parsed[text] = t
}

func (c *compiler) condition(where, text string) {
	k := c.kind
	if text == "" || k.parsed["?"+text] != nil {
		return
	}
	t, err := k.base.New("#").Parse("{{if " + text + "}}yes{{end}}")
	c.wrong(where, err)
	k.parsed["?"+text] = t
}

func (c *compiler) expression(where, text string) {
	if c.text(where, text); text == "" || strings.Contains(text, "{{") {
		return
	}
	re, err := whole(text)
	c.wrong(where, err)
	c.kind.patterns[text] = re
}

func (c *compiler) truth() {
	truth := c.kind.file.Truth
	for _, name := range sortedKeys(truth.Values) {
		c.text("value "+name, truth.Values[name])
	}
	c.text("config", truth.Config)
	c.text("startup", truth.Startup)
	for _, form := range c.kind.file.Images {
		re, err := regexp.Compile(form.Name)
		c.wrong("image "+form.Name, err)
		c.kind.images = append(c.kind.images, imageName{ImageForm: form, re: re})
	}
}

func (c *compiler) commands() {
	for i := range c.kind.file.Commands {
		cmd := &c.kind.file.Commands[i]
		where := "command " + strings.Join(cmd.In.Items, " or ")
		one := compiled{Command: cmd}
		for _, in := range cmd.In.Items {
			form, err := pattern(in)
			c.wrong(where, err)
			one.forms = append(one.forms, form)
		}
		if cmd.Modes.Set() {
			one.modes = map[string]bool{}
			for _, mode := range cmd.Modes.Items {
				one.modes[mode] = true
			}
		}
		c.condition(where, cmd.When)
		c.text(where, cmd.Out)
		c.file(where, cmd.File)
		c.steps(where, cmd.Do)
		c.routine(where, cmd.Over)
		c.kind.commands = append(c.kind.commands, one)
	}
}

func (c *compiler) file(where, name string) {
	if name != "" && c.kind.base.Lookup(name) == nil {
		c.wrong(where+", file "+name, errText)
	}
}

func (c *compiler) steps(where string, steps []Step) {
	for i := range steps {
		c.step(where, &steps[i])
	}
}

func (c *compiler) step(where string, s *Step) {
	c.condition(where, s.When)
	if s.Each != "all" {
		c.condition(where, s.Each)
	}
	for _, text := range []string{s.Effect, s.Out, s.Log, s.Wait, s.Ask, s.Else, s.Delete, s.Run, s.Stop, s.Mode, s.Fail} {
		c.text(where, text)
	}
	c.expression(where, s.Accept)
	c.file(where, s.File)
	for _, name := range sortedKeys(s.Set) {
		c.text(where, s.Set[name])
	}
	c.stepParts(where, s)
	c.routine(where, s.Run)
	c.steps(where, s.Do)
}

func (c *compiler) stepParts(where string, s *Step) {
	if s.Config != nil {
		c.text(where, s.Config.Remove)
		c.text(where, s.Config.Add)
	}
	if s.Copy != nil {
		c.text(where, s.Copy.From)
		c.text(where, s.Copy.To)
	}
	if s.Fill != nil {
		c.text(where, s.Fill.Path)
		c.text(where, s.Fill.Size)
		c.text(where, s.Fill.Version)
	}
	if s.After != nil {
		c.text(where, s.After.Name)
		c.text(where, s.After.In)
		c.text(where, s.After.Do)
		c.routine(where, s.After.Do)
	}
	if r := s.Reload; r != nil {
		for _, text := range []string{r.Grace, r.Refuse, r.AAADown, r.NotReady, r.Replay, r.Run} {
			c.text(where, text)
		}
		c.routine(where, r.Run)
	}
}

func (c *compiler) routine(where, name string) {
	if name == "" || strings.Contains(name, "{{") {
		return
	}
	if _, ok := c.kind.file.Routines[name]; !ok {
		c.wrong(where+", "+name, errRoutine)
	}
}

func (c *compiler) faults(list []Fault) {
	for _, f := range list {
		_, err := whole(f.Answer)
		c.wrong("fault at "+f.At, err)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
