package device

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// View is what a template sees. It is only used while the device's group is locked.
type View struct {
	V, S, Arg   map[string]string
	M           *Member
	Answer, Err string
	Line, User  string
	Column      int
	call        *call
	d           *Device
}

// Members are all members.
func (v View) Members() []*Member { return v.d.members }

// Member is the member with this ID, nil if there is none.
func (v View) Member(id string) *Member { return v.d.member(id) }

// Enable is the secret of the enable command.
func (v View) Enable() string { return v.d.options.Enable }

// Login is the name of the user who may log in.
func (v View) Login() string { return v.d.options.User }

// Password is the user's.
func (v View) Password() string { return v.d.options.Password }

// Now is what the device's clock shows.
func (v View) Now() time.Time {
	if v.d.values["clock"] == "unset" {
		return time.Date(1993, 3, 1, 0, 0, 0, 0, time.UTC).Add(v.Up())
	}
	return v.d.sys.clock.now().Add(v.d.skew).UTC()
}

// Up is how long the member has been up.
func (v View) Up() time.Duration { return v.M.Up() }

// Booted is when the member came up, as its clock showed.
func (v View) Booted() time.Time { return v.Now().Add(-v.Up()) }

// Boots is how often the device has booted in this simulation.
func (v View) Boots() int { return v.d.boots }

// Left is how long a timer has to go, 0 if it is not armed.
func (v View) Left(name string) time.Duration {
	t := v.d.timers[name]
	if t == nil {
		return 0
	}
	return v.d.sys.clock.left(t.event)
}

// Armed tells whether a timer runs.
func (v View) Armed(name string) bool { return v.d.timers[name] != nil }

// Config is the running configuration.
func (v View) Config() string { return v.d.running }

// Startup is the startup configuration.
func (v View) Startup() string { return v.d.startup }

// Saved tells whether the two are equal.
func (v View) Saved() bool { return v.d.running == v.d.startup }

// Lines are the running lines that fit: of each the first group, else the line.
func (v View) Lines(re string) ([]string, error) { return linesOf(v.d.running, re) }

// InStartup tells whether a line stands in the startup configuration.
func (v View) InStartup(line string) bool { return hasLine(v.d.startup, line) }

// InRunning tells whether a line stands in the running configuration.
func (v View) InRunning(line string) bool { return hasLine(v.d.running, line) }

func hasLine(config, line string) bool { return strings.Contains("\n"+config, "\n"+line+"\n") }

// StartupLines are those of the startup configuration.
func (v View) StartupLines(re string) ([]string, error) { return linesOf(v.d.startup, re) }

func linesOf(text, pattern string) ([]string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err //nolint:wrapcheck // the template says where
	}
	found := []string{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := re.FindStringSubmatch(line); m != nil {
			found = append(found, m[min(1, len(m)-1)])
		}
	}
	return found, nil
}

// FileView is a file as a template sees it.
type FileView struct {
	Exists bool
	Name   string
	Base   string
	Size   int64
	Time   time.Time
	Text   string // content of a small one that was received
}

func viewOf(s *Stored) FileView {
	if s == nil {
		return FileView{}
	}
	return FileView{Exists: true, Name: s.Name, Base: path.Base(s.Name), Size: s.Size, Time: s.Time, Text: string(s.Content)}
}

// File is the file at a path.
func (v View) File(name string) FileView { return viewOf(v.d.find(v.M, name)) }

// Files are those of a path's volume that begin like the path, sorted.
func (v View) Files(name string) []FileView {
	at, err := v.d.resolve(v.M, name)
	if err != nil {
		return nil
	}
	var found []FileView
	for _, key := range slices.Sorted(maps.Keys(at.volume.Files)) {
		if strings.HasPrefix(key, at.name) {
			found = append(found, viewOf(at.volume.Files[key]))
		}
	}
	return found
}

// Known tells whether a path leads anywhere.
func (v View) Known(name string) bool {
	_, err := v.d.resolve(v.M, name)
	return err == nil
}

// Free is how many bytes are free on a path's volume.
func (v View) Free(name string) int64 {
	at, err := v.d.resolve(v.M, name)
	if err != nil {
		return 0
	}
	return at.volume.Free
}

// Size is how many bytes a path's volume has.
func (v View) Size(name string) int64 {
	at, err := v.d.resolve(v.M, name)
	if err != nil {
		return 0
	}
	return at.volume.Size
}

// Hash is a file's hash by md5, sha1, sha256 or sha512, "" if there is no such file.
func (v View) Hash(algorithm, name string) string {
	if s := v.d.find(v.M, name); s != nil {
		return s.sums[algorithm]
	}
	return ""
}

// Image is what a file holds.
func (v View) Image(name string) Image { return v.d.imageOf(v.d.find(v.M, name)) }

// Struck tells whether a fault of this name strikes now, and uses it up.
func (v View) Struck(word string) bool {
	return v.d.strikes(v.call.moment, v.M, func(p *pending) bool { return p.Do == word }) != nil
}

// Broken tells whether a fault of this name has struck at any time.
func (v View) Broken(word string) bool { return slices.Contains(v.d.done.Faults, word) }

// Replaying tells whether the configuration is still being read after a boot.
func (v View) Replaying() bool { return v.d.replaying }

// Sessions are the users who are logged in, sorted.
func (v View) Sessions() []string {
	var users []string
	for s := range v.d.sessions {
		users = append(users, s.user)
	}
	slices.Sort(users)
	return users
}

// Peer is the other device of the group; the device itself if there is none.
func (v View) Peer() View {
	if p := v.d.peer(); p != nil {
		return p.view(&call{d: p})
	}
	return v
}

func (d *Device) view(c *call) View {
	v := View{V: d.values, Arg: c.args, M: c.member, Answer: c.answer, Err: c.err, Line: c.line, Column: c.column, call: c, d: d}
	if v.M == nil {
		v.M = d.me()
	}
	if c.session != nil {
		v.S, v.User = c.session.values, c.session.user
	}
	return v
}

// text renders a template of the file. A failure is a bug of the file, and told so.
func (d *Device) text(c *call, text string) string {
	t := d.kind.parsed[text]
	if t == nil {
		return text
	}
	var out strings.Builder
	if err := t.Execute(&out, d.view(c)); err != nil {
		keep(&d.done.Broken, err.Error())
	}
	return out.String()
}

// named renders a named text.
func (d *Device) named(c *call, name string) string {
	var out strings.Builder
	if err := d.kind.base.ExecuteTemplate(&out, name, d.view(c)); err != nil {
		keep(&d.done.Broken, err.Error())
	}
	return out.String()
}

func (d *Device) holds(c *call, condition string) bool {
	if condition == "" || condition == "all" {
		return true
	}
	return d.text(c, "?"+condition) == "yes"
}

// fits tells whether all of a text fits an expression, which may itself be a template.
func (d *Device) fits(c *call, expression, text string) bool {
	if expression == "" {
		return true
	}
	re := d.kind.patterns[expression]
	if re == nil {
		made, err := whole(d.text(c, expression))
		if err != nil {
			keep(&d.done.Broken, err.Error())
			return false
		}
		re = made
	}
	return re.MatchString(text)
}

func whole(expression string) (*regexp.Regexp, error) {
	re, err := regexp.Compile("^(?:" + expression + ")$")
	if err != nil {
		return nil, fmt.Errorf("the expression %q: %w", expression, err)
	}
	return re, nil
}
