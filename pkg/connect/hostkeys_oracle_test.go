package connect

import (
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// What OpenSSH itself says of known_hosts files is the measure: ssh-keygen for which lines
// speak of a name.

func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s: %v", name, err)
	}
	return path
}

// knownNames are asked of every generated file.
func knownNames() []string {
	return []string{
		"web1", "web2", "WEB1", "web10", "db1.example", "a.b.example", "example", "bad.example", "10.0.0.5", "10.0.0.50",
		"[web1]:2222", "[db1.example]:2222", "[10.0.0.5]:2222", "[web1]:22", "2001:db8::1", "[2001:db8::1]:2222", "nobody", "[nobody]:2022", "x",
	}
}

// generator makes known_hosts files of all that people, tools and accidents write.
type generator struct {
	*rand.Rand
	keys []string
}

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g generator) pattern() string {
	return g.pick("web1", "web2", "Web1", "web?", "web*", "*", "*.example", "db?.example", "10.0.0.*", "10.0.0.5", "!bad.example", "!web2", "!*",
		"[web1]:2222", "[*]:2222", "[*.example]:*", "[10.0.0.5]:22", "2001:db8::1", "[2001:db8::1]:2222", "2001:db8::*", "**", "", "w*b*1*", "?", "x,", "[web1]", "nobody")
}

func (g generator) names() string {
	if g.IntN(4) == 0 {
		return hashedName(g.pick(knownNames()...))
	}
	parts := []string{g.pattern()}
	for g.IntN(2) == 0 {
		parts = append(parts, g.pattern())
	}
	if joined := strings.Join(parts, ","); joined != "" {
		return joined
	}
	return "web1"
}

func (g generator) line() string {
	gap := g.pick(" ", " ", "\t", "  ", " \t ")
	line := g.names() + gap + g.pick(g.keys...)
	switch g.IntN(16) {
	case 0:
		return "# " + line
	case 1:
		return g.pick("", "   ", "\t")
	case 2:
		return "@revoked " + gap + line
	case 3, 4:
		return "@cert-authority " + gap + line
	case 5:
		return line + g.pick(" a comment", "\t# more", " ")
	case 6:
		return g.pick("  ", "\t") + line
	case 7: // accidents, of plain lines alone: one with a marker is fatal
		return g.pick("web1", "web1 ssh-ed25519", "web1 ssh-ed25519 !!!", "web1 ssh-ed25519 AAAA", "|1|AAAA|BBBB "+g.pick(g.keys...), "|2|x|y "+g.pick(g.keys...), "web1 ssh-rsa "+strings.Fields(g.keys[0])[1])
	}
	return line
}

func (g generator) file() string {
	var b strings.Builder
	for range 1 + g.IntN(12) {
		b.WriteString(g.line() + g.pick("\n", "\n", "\n", "\r\n"))
	}
	text := b.String()
	if g.IntN(5) == 0 {
		text = strings.TrimRight(text, "\r\n")
	}
	return text
}

// TestLookupAgreesWithKeygen: hundreds of files, and for each name the very lines, with
// their markers, that `ssh-keygen -l -F` finds.
func TestLookupAgreesWithKeygen(t *testing.T) {
	oracle := newKeygen(t)
	g := generator{rand.New(rand.NewPCG(6, 22)), []string{keyText(t), keyText(t), authorized(ecKey(t).PublicKey()), authorized(rsaKey(t).PublicKey())}}
	files, compared, found := 300, 0, 0
	if testing.Short() {
		files = 40
	}
	for i := range files {
		text := g.file()
		lines, _, err := parseKnown("kh", text)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		path := filepath.Join(t.TempDir(), "kh")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range sample(g, knownNames(), 6) {
			want, got := oracle.finds(t, name, path), weFind(lines, name)
			if !maps.Equal(got, want) {
				t.Errorf("file %d, %q: we find %v, ssh-keygen %v in\n%s", i, name, got, want, text)
			}
			compared++
			found += len(want)
		}
	}
	t.Logf("%d files, %d look-ups, %d lines found by both", files, compared, found)
	if found < compared/4 {
		t.Errorf("only %d lines were found: the generator makes nothing that matches", found)
	}
}

func authorized(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func sample(g generator, all []string, n int) []string {
	all = slices.Clone(all)
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n]
}

func weFind(lines []knownLine, name string) map[int]marker {
	out := map[int]marker{}
	index := indexed(lines)
	for _, l := range index.find(strings.ToLower(name)) {
		out[l.line] = l.mark
	}
	return out
}

// keygen is ssh-keygen, which is asked only once about each key.
type keygen struct {
	path  string
	reads map[string]bool
}

func newKeygen(t *testing.T) keygen {
	t.Helper()
	return keygen{needTool(t, "ssh-keygen"), map[string]bool{}}
}

// finds gives the lines of a file that speak of a name, by number, without those whose key
// can't be read: ssh leaves them out, too. ssh makes a name lower case before it asks;
// ssh-keygen leaves that to its caller.
func (k keygen) finds(t *testing.T, name, path string) map[int]marker {
	t.Helper()
	out, _ := exec.Command(k.path, "-F", strings.ToLower(name), "-f", path).Output() // fails where it finds nothing
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]marker{}
	heads := regexp.MustCompile(`(?m)^# Host .* found: line (\d+) ?(CA|REVOKED)? *$`)
	for _, m := range heads.FindAllSubmatch(out, -1) {
		number, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		if k.readable(strings.Split(string(text), "\n")[number-1]) {
			found[number] = map[string]marker{"": markNone, "CA": markAuthority, "REVOKED": markRevoked}[string(m[2])]
		}
	}
	return found
}

// readable tells whether ssh-keygen can read the key of a line: -F alone does not ask.
func (k keygen) readable(line string) bool {
	fields := strings.Fields(line)
	if len(fields) > 0 && strings.HasPrefix(fields[0], "@") {
		fields = fields[1:]
	}
	if len(fields) < 3 {
		return false
	}
	key := fields[1] + " " + fields[2] + "\n"
	if _, known := k.reads[key]; !known {
		cmd := exec.Command(k.path, "-l", "-f", "-")
		cmd.Stdin = strings.NewReader(key)
		k.reads[key] = cmd.Run() == nil
	}
	return k.reads[key]
}

// TestHashedNamesAgree: names that we hash are found by ssh-keygen, and by no other name.
func TestHashedNamesAgree(t *testing.T) {
	oracle := newKeygen(t)
	key := keyText(t)
	for _, name := range []string{"web1:22", "Web1:22", "web1:2222", "10.0.0.5:22", "[2001:db8::1]:22", "[2001:db8::1]:2222"} {
		path := filepath.Join(t.TempDir(), "kh")
		if err := os.WriteFile(path, []byte(hashedName(knownName(name))+" "+key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, asked := range []string{"web1:22", "web1:2222", "10.0.0.5:22", "[2001:db8::1]:22", "[2001:db8::1]:2222"} {
			want := knownName(asked) == knownName(name)
			if got := len(oracle.finds(t, knownName(asked), path)) == 1; got != want {
				t.Errorf("%s written, %s asked: ssh-keygen says %v", name, asked, got)
			}
		}
	}
}

func FuzzParseKnown(f *testing.F) {
	key := keyText(f)
	for _, seed := range []string{
		"web1 " + key, "@revoked * " + key, "|1|AA==|BB== " + key, "[a]:22,!b " + key, "a,,b " + key, "! " + key, "web1 x y\r\n",
		"[::1]:22 " + key, "[a]:22]: " + key, "@ ", "@revoked", hashedName("web1") + " " + key, "****************b " + key, "@revoked @revoked a " + key,
	} {
		f.Add(seed, "web1:22")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		lines, skipped, err := parseKnown("kh", text)
		if err != nil {
			if len(lines) > 0 {
				t.Fatal("lines beside an error")
			}
			return
		}
		rows := strings.Split(text, "\n")
		last := 0
		for _, l := range lines {
			row := strings.TrimSpace(rows[l.line-1])
			if l.line <= last || l.key == nil || l.file != "kh" || strings.HasPrefix(row, "@") != (l.mark != markNone) {
				t.Fatalf("%+v of %q", l, row)
			}
			last = l.line
			l.matches(knownName(name)) // must end, whatever the pattern
			again, _, err := parseKnown("kh", l.text())
			if l.mark == markNone && (err != nil || len(again) != 1 || again[0].names != l.names || !sameKey(again[0].key, l.key)) {
				t.Fatalf("%q does not read back as it was: %v", l.text(), err)
			}
		}
		if len(lines)+len(skipped) > len(rows) {
			t.Fatal("more lines than there are")
		}
	})
}
