package connect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// fakeSudo asks as sudo does: -S reads one line of stdin, -p is the prompt, -n never
// asks; the password's tries are counted in a file. NOPASSWD asks for none.
const fakeSudo = `#!/bin/sh
prompt='Password: '; n=
while [ $# -gt 0 ]; do
	case $1 in
	-S) shift;; -n) n=1; shift;; -p) prompt=$2; shift 2;; --) shift; break;; *) break;;
	esac
done
[ -n "$LECTURE" ] && echo "We trust you have received the usual lecture" >&2
if [ -n "$n" ]; then echo "sudo: a password is required" >&2; exit 1; fi
i=0
while :; do
	printf %s "$prompt" >&2
	IFS= read -r given || { echo >&2; echo "sudo: no password was provided" >&2; exit 1; }
	echo try >>"${0%/*}/tries"
	[ "$given" = 'correct-Horse 7$' ] && break
	i=$((i + 1))
	if [ $i = 3 ]; then echo "sudo: 3 incorrect password attempts" >&2; exit 1; fi
	echo "Sorry, try again." >&2
done
exec "$@"
`

const nopasswdSudo = `#!/bin/sh
while [ $# -gt 0 ]; do case $1 in -S|-n) shift;; -p) shift 2;; --) shift; break;; esac; done
exec "$@"
`

// says makes a sudo that only complains.
func says(text string) string {
	return "#!/bin/sh\ncat <<'X' >&2\n" + text + "\nX\nexit 1\n"
}

// sudoServer has the script as its sudo, su and doas.
func sudoServer(t *testing.T, r *rig, script string) *server {
	t.Helper()
	s := passwordServer(t, r)
	s.path = scripts(t, script)
	return s
}

// scripts is a folder with the script as sudo, su and doas.
func scripts(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"sudo", "su", "doas"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sudoTries(t *testing.T, s *server) int {
	t.Helper()
	text, _ := os.ReadFile(filepath.Join(s.path, "tries"))
	return strings.Count(string(text), "\n")
}

func sudoLease(t *testing.T, r *rig, s *server, how inventory.Become, password string) *Lease {
	t.Helper()
	h := withPassword(t, host(t, "web", s.address), "right")
	h.Become = how
	if password != "" {
		h.Credentials.Become = ref(t, "env:"+password)
	}
	return r.lease(t, h, site())
}

func TestSudoGivesThePasswordToSudoOnly(t *testing.T) {
	for name, script := range map[string]string{
		"asks": fakeSudo, "does not ask": nopasswdSudo,
		"lectures": strings.Replace(fakeSudo, "n=\n", "n=; LECTURE=1\n", 1),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			l := sudoLease(t, r, sudoServer(t, r, script), inventory.BecomeSudo, "right")
			got, err := l.Session().Runner.Run(t.Context(), remote.Command{
				Argv: []string{"sh", "-c", "cat; echo done >&2; exit 7"}, Become: true,
				Secret: secret.New("second"), Stdin: []byte("data\n"),
			})
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Out) != "second\ndata\n" || string(got.Err) != "done\n" || got.Code != 7 || got.Ending != remote.Exited {
				t.Errorf("out %q, err %q, %+v", got.Out, got.Err, got)
			}
		})
	}
}

func TestSudoWrongPassword(t *testing.T) {
	r := newRig(t, Options{})
	s := sudoServer(t, r, fakeSudo)
	l := sudoLease(t, r, s, inventory.BecomeSudo, "wrong")
	_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
	wantFault(t, err, fault.Privilege, "sudo refused the password")
	if sudoTries(t, s) != 1 {
		t.Errorf("tried %d times", sudoTries(t, s))
	}
}

func TestSudoComplaints(t *testing.T) {
	cases := []struct{ script, password, text, hint string }{
		{fakeSudo, "", "asks for a password", "doctor --sudoers"},
		{says("sudo: sorry, you must have a tty to run sudo"), "", "requiretty", "!requiretty"},
		{says("patch is not in the sudoers file.\nThis incident has been reported to the administrator."), "right", "no right", "visudo"},
		{says("Sorry, user patch may not run sudo on web."), "", "no right", "give patch the rights"},
		{says("Sorry, user patch is not allowed to execute '/usr/bin/id' as root on web."), "", "this command", "visudo"},
		{says("sudo: unable to resolve host web: Name or service not known\nsudo: a password is required"), "", "asks for a password", "doctor --sudoers"},
		{says("sudo: PAM: Verletzung \x1b[31m"), "", "sudo said", "by hand"},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			r := newRig(t, Options{})
			l := sudoLease(t, r, sudoServer(t, r, c.script), inventory.BecomeSudo, c.password)
			_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
			wantFault(t, err, fault.Privilege, c.text, c.hint)
		})
	}
}

// sudo takes the password and then refuses the user: it repeats the whole command line.
func TestSudoRefusesAfterThePassword(t *testing.T) {
	refuses := strings.Replace(fakeSudo, `exec "$@"`, `echo "Sorry, user patch is not allowed to execute '$*' as root on web." >&2; exit 1`, 1)
	r := newRig(t, Options{})
	s := sudoServer(t, r, refuses)
	l := sudoLease(t, r, s, inventory.BecomeSudo, "right")
	_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
	wantFault(t, err, fault.Privilege, "not allowed", "no right to run this command")
}

func TestSudoIsNotInstalled(t *testing.T) {
	for _, password := range []string{"", "right"} {
		t.Run("password="+password, func(t *testing.T) {
			r := newRig(t, Options{})
			s := passwordServer(t, r)
			s.path = "/nonexistent-only"
			l := sudoLease(t, r, s, inventory.BecomeSudo, password)
			t.Setenv("PATH", "/nonexistent")
			_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
			wantFault(t, err, fault.Privilege, "sudo is not installed", "become:")
		})
	}
}

// What a command prints must not pass for a refusal of sudo.
func TestCommandsOwnWords(t *testing.T) {
	r := newRig(t, Options{})
	l := sudoLease(t, r, sudoServer(t, r, nopasswdSudo), inventory.BecomeSudo, "")
	got, err := l.Session().Runner.Run(t.Context(), remote.Command{
		Argv: []string{"sh", "-c", "echo 'E: broken' >&2; echo 'sudo: a password is required' >&2; exit 1"}, Become: true,
	})
	if err != nil || got.Code != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNoneAndRootRunAsTheyAre(t *testing.T) {
	r := newRig(t, Options{})
	s := sudoServer(t, r, says("sudo: must not be called"))
	for _, c := range []struct {
		user string
		how  inventory.Become
	}{{"patch", inventory.BecomeNone}, {"root", inventory.BecomeSudo}, {"root", inventory.BecomeSu}} {
		h := withPassword(t, host(t, c.user+string(c.how), s.address), "right")
		h.User, h.Become = c.user, c.how
		got, err := r.lease(t, h, site()).Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"echo", "ran"}, Become: true})
		if err != nil || string(got.Out) != "ran\n" {
			t.Errorf("%s %s: %+v, %v", c.user, c.how, got, err)
		}
	}
}

// fakeSu asks "Password: " on stderr, as util-linux su does without a terminal.
const fakeSu = `#!/bin/sh
printf 'Password: ' >&2
IFS= read -r given
[ "$given" = 'correct-Horse 7$' ] || { echo; echo "su: Authentication failure" >&2; exit 1; }
[ "$1 $2 $3 $5" = "-s /bin/sh -c root" ] || { echo "bad call: $*" >&2; exit 9; }
exec /bin/sh -c "$4"
`

func TestSu(t *testing.T) {
	r := newRig(t, Options{})
	s := sudoServer(t, r, fakeSu)
	l := sudoLease(t, r, s, inventory.BecomeSu, "right")
	got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", `cat; echo "$1"`, "sh", "it's"}, Become: true, Stdin: []byte("in\n")})
	if err != nil || string(got.Out) != "in\nit's\n" {
		t.Errorf("%+v, %v", got, err)
	}
	h := withPassword(t, host(t, "second", s.address), "right")
	h.Become, h.Credentials.Become = inventory.BecomeSu, ref(t, "env:wrong")
	_, err = r.lease(t, h, site()).Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
	wantFault(t, err, fault.Privilege, "refused the password")
	h = withPassword(t, host(t, "third", s.address), "right")
	h.Become = inventory.BecomeSu
	_, err = r.lease(t, h, site()).Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
	wantFault(t, err, fault.Privilege, "su always asks")
}

func TestDoasRuns(t *testing.T) {
	r := newRig(t, Options{})
	l := sudoLease(t, r, sudoServer(t, r, nopasswdSudo), inventory.BecomeDoas, "")
	got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"echo", "ran"}, Become: true})
	if err != nil || string(got.Out) != "ran\n" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDoasRefuses(t *testing.T) {
	for script, password := range map[string]string{says("doas: Authorization required"): "", nopasswdSudo: "right"} {
		t.Run("password="+password, func(t *testing.T) {
			r := newRig(t, Options{})
			l := sudoLease(t, r, sudoServer(t, r, script), inventory.BecomeDoas, password)
			_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
			wantFault(t, err, fault.Privilege, "doas", "password")
		})
	}
}

// The exact lines are part of the contract with sudoers files and with the lab.
func TestGoldenLines(t *testing.T) {
	n := nonces{prompt: "[P]", begun: "[B]"}
	for _, c := range []struct {
		how      inventory.Become
		password bool
		want     string
	}{
		{inventory.BecomeSudo, false, "sudo -n -- sh -c 'a b'"},
		{inventory.BecomeSudo, true, `sudo -S -p '[P]' -- sh -c 'printf %s%s "$1" "$2" >&2; shift 2; exec "$@"' patchring '[' 'B]' sh -c 'a b'`},
		{inventory.BecomeDoas, false, "doas -n -- sh -c 'a b'"},
	} {
		argv, _, err := asRoot(c.how, []string{"sh", "-c", "a b"}, c.password, n)
		if got := remote.Quote(argv); err != nil || got != c.want {
			t.Errorf("got  %s\nwant %s, %v", got, c.want, err)
		}
	}
}
