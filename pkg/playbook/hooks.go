package playbook

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/inventory"
)

// maxArgs bounds a command line.
const maxArgs = 100

// hooks reads drains and hooks, in the order of the file: first all drains' entries,
// then all hooks', unless hooks stand above.
func (l *loader) hooks() {
	drains, others := l.drains(), l.others()
	if l.yaml.Hooks.At.Compare(l.yaml.Drain.At) < 0 {
		drains, others = others, drains
	}
	l.book.Hooks = slices.Concat(drains, others)
}

func (l *loader) drains() []Hook {
	var made []Hook
	for i := range l.yaml.Drain.V {
		y := &l.yaml.Drain.V[i]
		h := l.hook(&y.runYAML, HookDrain)
		if y.Undrain.Set() {
			h.Undo = l.argv(y.Undrain)
		}
		if y.Wait.Set() {
			h.Wait = l.wait(&y.Wait.V)
		}
		made = append(made, h)
	}
	return made
}

func (l *loader) others() []Hook {
	var made []Hook
	for i := range l.yaml.Hooks.V {
		y := &l.yaml.Hooks.V[i]
		made = append(made, l.hook(&y.runYAML, y.When.V))
	}
	return made
}

func (l *loader) hook(y *runYAML, at HookAt) Hook {
	on := string(y.RunOn.Or(OnHost))
	a := Action{Name: y.Name.V, At: at, On: on, Argv: l.argv(y.Argv), Within: y.Within.Or(defaultHook), Become: y.Become.V}
	if a.Name == "" && len(a.Argv) > 0 {
		a.Name = path.Base(a.Argv[0])
	}
	if a.Become && on == OnController {
		l.file.Errorf(y.Become.At, "remove it", "on the controller it runs as you")
	}
	if hosts, ok := l.hosts(y.Hosts); ok {
		l.runOn(y, at, hosts)
	}
	return Hook{Hosts: y.Hosts.V, Action: a}
}

func (l *loader) wait(y *waitYAML) *Wait {
	if y.Idle.Set() {
		return &Wait{Idle: true, Within: y.Idle.V}
	}
	return &Wait{Argv: l.argv(y.Argv), Within: y.Within.Or(defaultHook)}
}

// argv gives a command line. Its program is named from the root, on the controller too:
// what a PATH would find is anybody's guess, and it does not run in the folder where
// patchring does.
func (l *loader) argv(y document.Value[[]document.Value[argument]]) []string {
	var made []string
	for _, arg := range y.V {
		made = append(made, string(arg.V))
	}
	if len(made) == 0 || !y.V[0].Set() {
		return made
	}
	switch program, at := made[0], y.V[0].At; {
	case len(made) > maxArgs:
		l.file.Errorf(y.At, "put them into a file that the program reads", "more than %d arguments", maxArgs)
	case !strings.HasPrefix(program, "/"):
		l.file.Errorf(at, "write its absolute path, such as /usr/local/bin/"+base(program), "a program is named from the root")
	}
	return made
}

// base is a program's name for a hint.
func base(program string) string {
	if name := path.Base(program); nameShape.MatchString(name) {
		return name
	}
	return "NAME"
}

// runOn checks that the host on which a hook runs is there, in the site of each host
// that it is for, and that a drain is not asked of the host that it takes away.
func (l *loader) runOn(y *runYAML, at HookAt, hosts []inventory.Host) {
	on := string(y.RunOn.V)
	if l.inv == nil || !y.RunOn.Set() || on == OnHost || on == OnController {
		return
	}
	told := map[string]bool{}
	for _, h := range hosts {
		if at == HookDrain && h.ID.Name == on {
			l.file.Errorf(y.RunOn.At, "leave it out of these hosts (:!"+on+"), and give it a drain of its own", "the drain of %s would run on %s itself", h.ID, on)
		}
		if _, err := l.inv.Find(h.ID.Site + "/" + on); err == nil || told[h.ID.Site] {
			continue
		}
		told[h.ID.Site] = true
		l.file.Errorf(y.RunOn.At, document.DidYouMean(on, l.namesIn(h.ID.Site), "write host, controller, or the name of a host in this site"),
			"the site %s has no host `%s` to run on for %s", h.ID.Site, on, h.ID)
	}
}

func (l *loader) namesIn(site string) []string {
	names := []string{OnHost, OnController}
	for _, h := range l.inv.Hosts {
		if h.ID.Site == site {
			names = append(names, h.ID.Name)
		}
	}
	return names
}

func (l *loader) silences() {
	for i := range l.yaml.Silences.V {
		y := &l.yaml.Silences.V[i]
		l.hosts(y.Hosts)
		l.book.Silences = append(l.book.Silences, Silence{Hosts: y.Hosts.V, Mute: l.mute(y)})
	}
}

func (l *loader) mute(y *silenceYAML) Mute {
	m := Mute{Name: y.Name.V, TTL: y.TTL.Or(defaultTTL)}
	if y.Alertmanager.Set() {
		a := y.Alertmanager.V
		m.Alertmanager, m.Token = string(a.URL.V), a.Token.V.String()
		m.Matchers = l.matchers(a.Matchers)
		m.Name = y.Name.Or("alertmanager " + hostOf(m.Alertmanager))
	} else {
		w := y.Webhook.V
		m.Webhook, m.Token = string(w.URL.V), w.Token.V.String()
		m.Name = y.Name.Or("webhook " + hostOf(m.Webhook))
	}
	return m
}

// hostOf names a server without the rest of its address, which may hold a key.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}

// matchers must name the host somehow: else each host's work would silence the alerts
// of all.
func (l *loader) matchers(y document.Map[document.Either[holed, matchRegexYAML]]) []Matcher {
	var made []Matcher
	about := false
	for _, e := range y.Entries {
		if !labelShape.MatchString(e.Key) {
			l.file.Errorf(e.At, "letters, digits and _, not beginning with a digit", "`%s` can't be the name of a label", e.Key)
		}
		m := Matcher{Name: e.Key, Value: string(e.Value.Short.V)}
		if e.Value.Long.Set() {
			m.Value, m.Regex = string(e.Value.Long.V.Regex.V), true
		}
		about = about || holeShape.MatchString(m.Value) || m.Value == "" || !e.Value.Set() // which is told already
		made = append(made, m)
	}
	if y.At.Written() && !about {
		l.file.Errorf(y.At, `write one such as instance: "{{ .name }}"`, "the silence is not about the host at work: no matcher holds {{ .name }}, {{ .address }} or {{ .site }}")
	}
	return made
}
