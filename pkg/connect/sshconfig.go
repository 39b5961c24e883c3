package connect

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/patchring/patchring/pkg/fault"
)

// sshConfig answers for hosts; a nil one knows nothing.
//
// Two read the file: patchring (consult), which takes microseconds and judges all but
// what runs a program, asks DNS or is newer than it; and the user's own ssh (ssh -G),
// which is always right and costs 5 ms. For 5,000 hosts that would be half a minute of
// processor time, so ssh is asked for every host of which patchring is not sure, and
// else for one of those that rest on lines of the same shapes. As long as both agree,
// the others need no asking; once they differ, ssh is asked for every host.
//
// As with ssh -F, the system's own file in /etc/ssh is not read.
type sshConfig struct {
	path       string
	statements []statement
	me         person
	warn       func(string)
	ssh        *asker // nil: not there, or not to be given this file
	why        string // why it is nil, for the hint

	mu       sync.Mutex
	cache    map[query]func(context.Context) (settings, error)
	proven   map[string]bool // lines for which ssh said the same
	distrust bool
}

// loadSSHConfig reads the file; a missing one is no error, since most people have none.
func loadSSHConfig(path, home string, warn func(string)) (*sshConfig, error) {
	if path == "" {
		return nil, nil
	}
	return openSSHConfig(path, whoRuns(home), warn)
}

func openSSHConfig(path string, me person, warn func(string)) (*sshConfig, error) {
	files := newConfigFiles(path, me)
	text, err := files.read(path)
	if err != nil {
		return nil, fault.Usagef("check the file's rights, or pass --ssh-config none", "can't read ssh_config: %v", err)
	}
	if text == nil {
		return nil, nil
	}
	in := &includer{home: me.home, read: files.read, glob: filepath.Glob}
	c, err := parseSSHConfig(path, string(text), in, me)
	if err != nil {
		return nil, err
	}
	c.warn = warn
	for _, note := range notes(c.statements) {
		warn(note)
	}
	for _, where := range in.odd {
		files.doubt("%s includes files that can't be told", where)
	}
	if c.why = files.why; c.why == "" {
		c.ssh = newAsker(path, c.statements, me)
	}
	if c.why == "" && c.ssh == nil {
		c.why = "there is no ssh here"
	}
	return c, nil
}

func parseSSHConfig(path, text string, in *includer, me person) (*sshConfig, error) {
	statements, err := in.expand(path, text, 0)
	if err != nil {
		return nil, fault.Usagef("correct the file (ssh -G somehost reads it too), or pass --ssh-config none",
			"can't read ssh_config %s: %v", path, err)
	}
	return &sshConfig{
		path: path, statements: statements, me: me, warn: func(string) {},
		cache: map[query]func(context.Context) (settings, error){}, proven: map[string]bool{},
	}, nil
}

// notes tells once of each setting that ssh would honour and patchring does not.
func notes(statements []statement) []string {
	var out []string
	said := map[string]bool{}
	var walk func([]statement)
	walk = func(list []statement) {
		for _, st := range list {
			if text := unsupported(st.key); text != "" && !said[st.key] && !isOff(st.words) {
				said[st.key] = true
				out = append(out, fmt.Sprintf("%s: %s: %s", st.where, st.key, text))
			}
			for _, file := range st.files {
				walk(file)
			}
		}
	}
	walk(statements)
	return out
}

// isOff: the setting only says that something is not wanted, or is the default.
func isOff(words []string) bool {
	return len(words) == 1 && (isNo(words[0]) || none(words[0]) == "" || strings.EqualFold(words[0], "any"))
}

// unsupported says what patchring does instead. Keywords that change nothing about
// what it does are not worth a word.
func unsupported(key string) string {
	switch key {
	case "userknownhostsfile", "globalknownhostsfile":
		return "patchring keeps known_hosts by site; name this file with --known-hosts to have it read as well"
	case "knownhostscommand", "revokedhostkeys":
		return "not run or read; put @revoked and @cert-authority lines into known_hosts"
	case "gssapiauthentication", "pkcs11provider", "securitykeyprovider", "hostbasedauthentication":
		return "not used; load keys into an agent, or ride your own connection with control_master"
	case "bindaddress", "bindinterface", "addressfamily":
		return "not used; the system chooses"
	}
	return ""
}

// lookup gives the settings for a name. An error is the context's; what ssh_config
// makes impossible is the settings' refusal, which an inventory may overrule.
func (c *sshConfig) lookup(ctx context.Context, q query) (settings, error) {
	if c == nil {
		return settings{}, nil
	}
	c.mu.Lock()
	once := c.cache[q]
	if once == nil {
		once = onceGood(func(ctx context.Context) (settings, error) { return c.answer(ctx, q) })
		c.cache[q] = once
	}
	c.mu.Unlock()
	return once(ctx)
}

func (c *sshConfig) answer(ctx context.Context, q query) (settings, error) {
	r := consult(c.statements, q, c.me)
	s, more := settle(q, r, c.me)
	doubts := slices.Concat(r.doubts, more)
	sure := !slices.ContainsFunc(doubts, func(d doubt) bool { return !d.deaf })
	if c.ssh == nil || (sure && c.isProven(q, r)) {
		c.say(doubts)
		s.refusal = undecided(doubts, c.hint())
		return withJump(s), nil
	}
	leave, err := c.ssh.enter(ctx)
	if err != nil {
		return settings{}, err
	}
	defer leave()
	if sure && c.isProven(q, r) { // by the one before
		c.say(doubts)
		return withJump(s), nil
	}
	told, err := c.ssh.ask(ctx, q)
	if err != nil {
		s.refusal = err
		return s, ctx.Err()
	}
	return c.judge(q, r, s, told, sure), nil
}

// judge takes ssh's answer, and holds patchring's own against it.
func (c *sshConfig) judge(q query, r reading, own settings, told reading, sure bool) settings {
	s, doubts := settle(q, told, c.me)
	c.say(doubts)
	if sure {
		c.prove(q, r, differ(q, c.me, own, s))
		s.from = own.from // ssh does not say which line it is
		return withJump(s)
	}
	for key, where := range own.from {
		if where != "" && r.first[key].text == told.first[key].text {
			s.from[key] = where
		}
	}
	return withJump(s)
}

func (c *sshConfig) hint() string {
	if c.why == "" {
		return ""
	}
	return " (ssh itself is not asked: " + c.why + ")"
}

func (c *sshConfig) say(doubts []doubt) {
	for _, d := range doubts {
		if !d.decides {
			c.warn(d.text())
		}
	}
}

// kind is the same for names that rest on lines of the same shapes.
func kind(q query, r reading) string {
	return fmt.Sprint(q.address != "", q.user != "", q.port != "", q.master, strings.Contains(q.name, ":"), " ", strings.Join(r.shapes, "|"))
}

func (c *sshConfig) isProven(q query, r reading) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proven[kind(q, r)] && !c.distrust
}

func (c *sshConfig) prove(q query, r reading, difference string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if difference == "" {
		c.proven[kind(q, r)] = true
		return
	}
	c.distrust = true
	c.warn(fmt.Sprintf("%s: patchring and ssh -G read it differently for %s (%s); ssh is asked for every host from here on", c.path, q.name, difference))
}

// withJump checks what will be taken for bastions.
func withJump(s settings) settings {
	for i, hop := range s.jump {
		s.jump[i] = strings.TrimPrefix(hop, "ssh://")
		if strings.ContainsAny(hop, "%$") && s.refusal == nil {
			s.refusal = &fault.Error{
				Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepConnect,
				What: fmt.Sprintf("ssh_config's ProxyJump has a token that is not expanded: %q", hop),
				Hint: "write the value itself, or set jump: in the inventory",
			}
		}
	}
	return s
}
