package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/patchring/patchring/pkg/secret"
)

// Clear files of each kind, and values to be found in them.
func sopsFiles() map[string]struct{ text, args string } {
	const yaml = "# a comment\ndb:\n  password: " + value + "\n  port: 5432\n  ratio: 1.50\n  big: 12345678901234567890.5\n  on: true\n  off: false\n  none: null\n  empty: \"\"\n" +
		"  list: [a, 2, " + value + ", {x.y: dotted}]\n  date: 2024-01-02\nlong: |\n  line one\n  " + value + "\nname_unencrypted: open\nport_unencrypted: 0x10\nratio_unencrypted: 2.50\nflag_unencrypted: true\nunicode: \"päß\\twort\"\n"
	const json = `{"db": {"password": "` + value + `", "port": 5432, "ratio": 1.50, "on": true, "none": null, "empty": "", "list": ["a", 2, "` + value + `"]}, "n_unencrypted": 1e3, "e": "\u00e4\/\ud83d\ude00"}`
	const env = "# a comment\nDB_PASSWORD=" + value + "\nMULTI=a\\nb\nEMPTY=\nPLAIN_unencrypted=x=y\n"
	return map[string]struct{ text, args string }{
		"a.yaml": {yaml, ""}, "mac.yaml": {yaml, "--mac-only-encrypted"}, "regex.yaml": {yaml, "--encrypted-regex ^(password|list|x.y)$"},
		"plain.yaml": {yaml, "--unencrypted-regex ^(port|date)$"}, "suffix.yaml": {yaml, "--encrypted-suffix word"},
		"a.json": {json, ""}, "mac.json": {json, "--mac-only-encrypted"},
		"a.env": {env, ""}, "mac.env": {env, "--mac-only-encrypted"},
		"a.bin": {value + "\n", "--input-type binary"},
	}
}

func sopsValues() map[string]map[string]string {
	return map[string]map[string]string{
		"yaml": {
			"db.password": value, "db.port": "5432", "db.list.2": value, "db.list.3.x.y": "dotted", "long": "line one\n" + value, "name_unencrypted": "open",
			"port_unencrypted": "16", "unicode": "päß\twort",
		},
		"json": {"db.password": value, "db.port": "5432", "db.list.2": value, "n_unencrypted": "1000", "e": "ä/😀"},
		"env":  {"DB_PASSWORD": value, "MULTI": "a\nb", "PLAIN_unencrypted": "x=y"},
		"bin":  {"": value, "data": value},
	}
}

// The real sops encrypts; we give what it would give.
func TestSOPSAgainstSOPS(t *testing.T) {
	sops := tool(t, "sops")
	id, idFile := ageKey(t)
	for name, c := range sopsFiles() {
		t.Run(name, func(t *testing.T) {
			file := encryptSOPS(t, sops, id, name, c.text, strings.Fields(c.args))
			for key, want := range sopsValues()[strings.TrimPrefix(filepath.Ext(name), ".")] {
				target := "sops:" + file
				if key != "" {
					target += "#" + key
				}
				wants(t, Options{Identity: idFile}, target, want, refusal(name, key))
			}
		})
	}
}

func encryptSOPS(t *testing.T, sops string, id *age.X25519Identity, name, text string, args []string) string {
	t.Helper()
	file := keep(t, name, []byte(text))
	args = append(append([]string{"--encrypt", "--age", id.Recipient().String()}, args...), "--in-place", file)
	run(t, []string{"HOME=" + t.TempDir(), "SOPS_AGE_KEY=" + id.String()}, sops, args...)
	return file
}

// fixture is a file that sops 3.13.3 wrote, and the key that it was written for.
func fixture(t *testing.T) (text string, o Options) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "sops", "one.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join("testdata", "sops", "age.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), Options{Identity: keep(t, "age.txt", key)}
}

// What sops 3.13.3 wrote of the same files, for machines without it.
func TestSOPSFixtures(t *testing.T) {
	_, o := fixture(t)
	for name := range sopsFiles() {
		for key, want := range sopsValues()[strings.TrimPrefix(filepath.Ext(name), ".")] {
			target := "sops:" + filepath.Join("testdata", "sops", name)
			if key != "" {
				target += "#" + key
			}
			wants(t, o, target, want, refusal(name, key))
		}
	}
}

// refusal is why a value of the sample is not given.
func refusal(name, key string) string {
	if strings.HasPrefix(name, "mac.") && strings.HasSuffix(key, "_unencrypted") {
		return "MAC covers encrypted values alone"
	}
	return ""
}

func TestSOPSKeys(t *testing.T) {
	text, o := fixture(t)
	file := "sops:" + keep(t, "a.yaml", []byte(text))
	wants(t, o, file+"#db.password", value, "")
	wants(t, o, file+"#db.list.1", "two", "")
	wants(t, o, file, "", "no key behind #")
	wants(t, o, file+"#db", "", "no single value")
	wants(t, o, file+"#db.nothing", "", "no single value")
	_, other := ageKey(t)
	wants(t, Options{Identity: other}, file+"#db.password", "", "does not open it")
}

// What was changed in a file is found, though each value still decrypts.
func TestSOPSFindsEveryChange(t *testing.T) {
	text, o := fixture(t)
	lines := strings.Split(text, "\n")
	find := func(part string) int {
		for i, line := range lines {
			if strings.Contains(line, part) {
				return i
			}
		}
		t.Fatalf("no line with %q", part)
		return 0
	}
	change := func(name, want string, how func(lines []string)) {
		t.Helper()
		changed := append([]string{}, lines...)
		how(changed)
		wants(t, o, "sops:"+keep(t, name+".yaml", []byte(strings.Join(changed, "\n")))+"#db.password", "", want)
	}
	password, user, open, first := find("password:"), find("user:"), find("note_unencrypted:"), find("- ENC")
	change("moved", "moved here from another place", func(l []string) {
		l[password], l[user] = strings.Replace(l[user], "user:", "password:", 1), strings.Replace(l[password], "password:", "user:", 1)
	})
	change("swapped in a list", "its MAC was made of", func(l []string) { l[first], l[first+1] = l[first+1], l[first] })
	change("open value", "its MAC was made of", func(l []string) { l[open] += "x" })
	change("dropped", "its MAC was made of", func(l []string) { l[user] = "" })
	change("in clear", "should be", func(l []string) { l[user] = "    user: root" })
	change("number in clear", "not encrypted, but should be", func(l []string) { l[user] = "    user: 5" })
	change("not base64", "no base64", func(l []string) { l[user] = strings.Replace(l[user], "data:", "data:A", 1) })
	change("kind", "its MAC was made of", func(l []string) { l[user] = strings.Replace(l[user], "type:str", "type:comment", 1) })
	change("time", "its MAC", func(l []string) { at := find("lastmodified"); l[at] = strings.Replace(l[at], "20", "21", 1) })
	change("no MAC", "no MAC", func(l []string) { l[find("    mac:")] = "" })
}

// What we can't read, sops can: the hint says how.
func TestSOPSOfOthers(t *testing.T) {
	for text, wrong := range map[string]string{
		"a: b\n": "there is no sops:",
		"sops: {mac: x, lastmodified: y, kms: [{arn: z}]}\n":                            "not encrypted for age",
		"sops: {mac: x, lastmodified: y, key_groups: [{age: []}]}\n":                    "split among groups",
		"sops: {mac: x, lastmodified: y, encrypted_comment_regex: z}\n":                 "comments say",
		"sops: {mac: x, lastmodified: y, encrypted_suffix: a, unencrypted_suffix: b}\n": "two ways",
		"sops: {mac: x, lastmodified: y, encrypted_regex: '('}\n":                       "its metadata",
		"{\"sops\": 1": "not JSON", "a: [": "not YAML", "a: 1\n---\nb: 2\n": "more than one document", "a: &x 1\nb: *x\n": "an alias",
		"sops_mac=x\nnothing": "a line without =",
	} {
		file := keep(t, "a.yaml", []byte(text))
		_, err := New(Options{}).Resolve(t.Context(), ref(t, "sops:"+file+"#db.password"), "test")
		if err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, want %q", text, err, wrong)
		}
		wants(t, Options{}, "sops:"+file+"#db.password", "", wrong)
	}
}

// withRecipients gives a fixture more encrypted data keys, before its own.
func withRecipients(t *testing.T, text string, n int, enc []byte) string {
	t.Helper()
	var more strings.Builder
	for range n {
		more.WriteString("        - enc: |\n")
		for line := range strings.Lines(string(enc)) {
			more.WriteString("            " + line)
		}
		more.WriteString("          recipient: age1x\n")
	}
	const list = "    age:\n"
	if !strings.Contains(text, list) {
		t.Fatal("the fixture has no recipients")
	}
	return strings.Replace(text, list, list+more.String(), 1)
}

// A hostile file costs the operator no more work than an honest one: no passphrase is tried,
// and the identity is opened once.
func TestSOPSRecipientsAreBounded(t *testing.T) {
	text, o := fixture(t)
	asked := 0
	o.Ask = func(ctx context.Context, label string) (secret.Secret, error) {
		asked++
		return answers(map[string]string{"": "open sesame"})(ctx, label)
	}
	by, err := age.NewScryptRecipient("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	by.SetWorkFactor(10)
	costly := sealed(t, true, strings.Repeat("x", dataKeySize), by)
	file := "sops:" + keep(t, "a.yaml", []byte(withRecipients(t, text, 3, costly)))
	if wants(t, o, file+"#db.password", value, ""); asked != 0 {
		t.Errorf("a file that is encrypted for a passphrase has asked %d times", asked)
	}
	wants(t, o, "sops:"+keep(t, "a.yaml", []byte(withRecipients(t, text, maxRecipients, costly)))+"#db.password", "", "more than 100 recipients")
	id, _ := ageKey(t)
	other := sealed(t, true, strings.Repeat("x", dataKeySize), id.Recipient())
	own, err := os.ReadFile(o.Identity)
	if err != nil {
		t.Fatal(err)
	}
	o.Identity = keep(t, "age.txt", sealed(t, true, string(own), by))
	v, file := New(o), "sops:"+keep(t, "a.yaml", []byte(withRecipients(t, text, 5, other)))
	for _, key := range []string{"#db.password", "#db.user"} {
		if _, err := v.Resolve(t.Context(), ref(t, file+key), "test"); err != nil {
			t.Error(err)
		}
	}
	if _, known := v.known["identity "+o.Identity]; !known || asked != 1 {
		t.Errorf("the identity was not opened once: %t, asked %d times", known, asked)
	}
}

// What is given up is given up at once.
func TestSOPSEndsWithItsCaller(t *testing.T) {
	text, o := fixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(o).Resolve(ctx, ref(t, "sops:"+keep(t, "a.yaml", []byte(text))+"#db.password"), "test"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	file, err := parseSOPS([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.open(ctx, make([]byte, dataKeySize)); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
}

// What a file says of itself is bounded before work is put into it.
func TestSOPSPartsAreBounded(t *testing.T) {
	meta := "sops: {mac: x, lastmodified: y, age: [{enc: z}]"
	for regex, wrong := range map[string]string{
		strings.Repeat("a?", 3000): "unusual size", "(a{30}){30}": "", "(a{50}){20}(b{50}){20}(c{50}){20}": "unusual size",
		"^(data|stringData|password|[a-z]+_token)$": "",
	} {
		_, err := parseSOPS([]byte("a: b\n" + meta + ", encrypted_regex: '" + regex + "'}\n"))
		if wrong == "" && err != nil || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("%.40q: %v, want %q", regex, err, wrong)
		}
	}
	costly := "encrypted_regex: '(?:a?){900}b'}\n"
	var many strings.Builder
	for i := range 200 {
		fmt.Fprintf(&many, "%s%d: x\n", strings.Repeat("a", 1000), i)
	}
	for text, wrong := range map[string]string{
		many.String() + meta + ", " + costly:                             "too much work",
		"? " + strings.Repeat("k", 5000) + "\n: {a: 1}\n" + meta + "}\n": "keys of more than",
	} {
		file, err := parseSOPS([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.open(t.Context(), make([]byte, dataKeySize)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%v, want %q", err, wrong)
		}
	}
}

// Where the MAC covers encrypted values alone, whoever can write the file can add and change
// those in clear, and what the metadata says of them. None of these is given.
func TestSOPSGivesNothingForged(t *testing.T) {
	_, o := fixture(t)
	raw, err := os.ReadFile(filepath.Join("testdata", "sops", "mac.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	honest := "sops:" + keep(t, "honest.yaml", raw)
	wants(t, o, honest+"#db.password", value, "")
	wants(t, o, honest+"#name_unencrypted", "", "MAC covers encrypted values alone")
	dotted := "db.password: forged\n" + strings.Replace(string(raw), "unencrypted_suffix: _unencrypted", "unencrypted_regex: ^(db[.]password|.*_unencrypted)$", 1)
	wants(t, o, "sops:"+keep(t, "dotted.yaml", []byte(dotted))+"#db.password", "", "no single value")
	alone := strings.Replace(strings.Replace(dotted, "db.password:", "new:", 1), "db[.]password", "new", 1)
	wants(t, o, "sops:"+keep(t, "alone.yaml", []byte(alone))+"#new", "", "MAC covers encrypted values alone")
}

func FuzzParseSOPS(f *testing.F) {
	for _, c := range sopsFiles() {
		f.Add([]byte(c.text))
	}
	f.Add([]byte("a: ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]\nsops: {mac: x, lastmodified: y, age: [{enc: z}]}\n"))
	f.Add([]byte(`{"a": [1, {"b": null}], "sops": {"mac": "x", "lastmodified": "y"}}`))
	f.Add([]byte("A=1\nsops_mac=x\nsops_lastmodified=y\nsops_age__list_0__map_enc=z\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := parseSOPS(raw)
		if err != nil {
			return
		}
		if opened, err := file.open(t.Context(), make([]byte, dataKeySize)); err == nil {
			t.Fatalf("%q was opened with a key of nothing: %v", raw, opened)
		}
	})
}

func FuzzOpenValue(f *testing.F) {
	f.Add("ENC[AES256_GCM,data:AA==,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]", "a:")
	f.Add("ENC[AES256_GCM,data:,iv:,tag:,type:]", "")
	f.Fuzz(func(t *testing.T, text, place string) {
		if v, err := openValue(text, make([]byte, dataKeySize), place); err == nil && text != "" {
			t.Fatalf("%q was opened: %v", text, v)
		}
	})
}
