package connect

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func needSSH(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("needs ssh: OpenSSH's client is not installed")
	}
	return program
}

// somebody is who runs the test, with a home that ssh takes for it.
func somebody(t testing.TB) person {
	t.Helper()
	me := whoRuns("")
	me.home = me.account
	if me.home == "" {
		t.Skip("needs an account with a home folder")
	}
	return me
}

// openssh is what ssh -G says, read by the test itself; nil where ssh refuses the file.
func openssh(t *testing.T, config string, q query) map[string][]string {
	t.Helper()
	argv := []string{"-G", "-T", "-F", config}
	for flag, text := range map[string]string{"-l": q.user, "-p": q.port} {
		if text != "" {
			argv = append(argv, flag, text)
		}
	}
	if q.address != "" {
		argv = append(argv, "-oHostName="+strings.ReplaceAll(q.address, "%", "%%"))
	}
	out, err := exec.CommandContext(t.Context(), needSSH(t), append(argv, q.name)...).Output()
	if err != nil {
		return nil
	}
	said := map[string][]string{}
	for line := range bytes.Lines(out) {
		key, text, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		said[key] = append(said[key], text)
	}
	return said
}

// reference turns that into settings, with the tokens replaced in the plainest way.
func reference(t *testing.T, said map[string][]string, q query, me person, usual []string) settings {
	t.Helper()
	one := func(key string) string { return strings.Join(said[key], "|") }
	yes := func(key string) bool { return one(key) == "yes" }
	s := settings{
		hostName: canonical(one("hostname")), port: one("port"), user: one("user"), alias: one("hostkeyalias"),
		identitiesOnly: yes("identitiesonly"), hashKnown: yes("hashknownhosts"), proxyCommand: none(one("proxycommand")),
	}
	if jump := one("proxyjump"); jump != "" {
		s.jump = strings.Split(jump, ",")
	}
	if q.master {
		s.controlPath = one("controlpath")
	}
	if s.agent = one("identityagent"); s.agent == "SSH_AUTH_SOCK" {
		s.agent = ""
	}
	if strings.HasPrefix(s.agent, "$") {
		s.agent = "none" // it is not set
	}
	expand := strings.NewReplacer("%%", "%", "%h", s.hostName, "%r", s.user, "%p", s.port, "%n", q.name, "%d", me.home, "%u", me.name)
	files := func(key string) (out []string) {
		for _, file := range said[key] {
			if rest, ok := strings.CutPrefix(file, "~/"); ok {
				file = me.home + "/" + rest
			}
			if full := expand.Replace(file); file != "none" && !strings.Contains(full, "%C") && full[0] == '/' {
				out = append(out, full)
			}
		}
		return out
	}
	s.certificates = files("certificatefile")
	if !slices.Equal(said["identityfile"], usual) {
		s.identities = files("identityfile")
		s.noIdentities = len(s.identities) == 0
	}
	return s
}

// tally counts how the generated cases ended.
type tally struct{ equal, refused, broken int }

// What patchring takes from a configuration, alone and with ssh at hand, is what
// ssh -G says of it, or it is refused; it is never something else.
func TestSSHConfigAgreesWithOpenSSH(t *testing.T) {
	needSSH(t)
	me := somebody(t)
	usual := openssh(t, "none", query{name: "localhost"})["identityfile"]
	w := &writer{Rand: rand.New(rand.NewPCG(6, 2)), dir: t.TempDir(), me: me}
	var alone, with tally
	for range 300 {
		path := w.config(t, 0)
		for range 2 {
			q := w.query()
			said := openssh(t, path, q)
			want := settings{}
			if said != nil {
				want = reference(t, said, q, me, usual)
			}
			alone.hold(t, path, q, me, nil, said != nil, want)
			with.hold(t, path, q, me, func(context.Context) ([]string, error) { return usual, nil }, said != nil, want)
		}
	}
	t.Logf("alone %+v, with ssh %+v", alone, with)
	if alone.equal < 300 || with.refused > 5 || with.equal < 400 {
		t.Errorf("too little was compared: alone %+v, with ssh %+v", alone, with)
	}
}

// usualFiles are ssh's default keys; nil: patchring has no ssh to ask.
type usualFiles func(context.Context) ([]string, error)

func (y *tally) hold(t *testing.T, path string, q query, me person, usual usualFiles, ok bool, want settings) {
	t.Helper()
	got, soft, err := resolve(t.Context(), path, q, me, usual)
	switch {
	case !ok && usual != nil && err == nil && got.refusal == nil:
		t.Errorf("ssh refuses the file, patchring does not\n%s", show(t, path, q))
	case !ok:
		y.broken++
	case err != nil || got.refusal != nil:
		y.refused++
	default:
		if usual == nil && soft { // said, and left out
			got.identities, got.noIdentities, got.certificates, got.identitiesOnly = want.identities, want.noIdentities, want.certificates, want.identitiesOnly
			got.agent, got.controlPath, got.hashKnown = want.agent, want.controlPath, want.hashKnown
		}
		if difference := differ(q, me, got, want); difference != "" {
			t.Errorf("ssh at hand %t: %s (patchring, then ssh)\n%s", usual != nil, difference, show(t, path, q))
		}
		y.equal++
	}
}

// resolve opens the file anew, as a run of patchring does.
func resolve(ctx context.Context, path string, q query, me person, usual usualFiles) (s settings, soft bool, err error) {
	warn := func(text string) { soft = soft || strings.Contains(text, "not understood") }
	c, err := openSSHConfig(path, me, warn)
	if err != nil {
		return settings{}, false, err
	}
	c.ssh = nil
	if usual != nil {
		c.ssh = newAsker(path, c.statements, me)
		c.ssh.usual = usual
	}
	s, err = c.lookup(ctx, q)
	return s, soft, err
}

func show(t *testing.T, path string, q query) string {
	t.Helper()
	var out strings.Builder
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	main, _ := os.ReadFile(path)
	fmt.Fprintf(&out, "query %+v\n--- %s\n%s", q, path, main)
	for _, file := range files {
		if text, _ := os.ReadFile(file); file != path && bytes.Contains(main, []byte("Include "+file+"\n")) {
			fmt.Fprintf(&out, "--- %s\n%s", file, text)
		}
	}
	return out.String()
}
