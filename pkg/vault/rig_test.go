package vault

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// answers asks nobody: it has what a person would type, by what the question begins with.
func answers(typed map[string]string) Ask {
	return func(_ context.Context, label string) (secret.Secret, error) {
		for begin, text := range typed {
			if strings.HasPrefix(label, begin) {
				return secret.New(text), nil
			}
		}
		return secret.Secret{}, fault.Usagef("type it", "nobody types %q", label)
	}
}

// keep writes a file that only its owner can read.
func keep(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ageKey makes an identity and its file.
func ageKey(t *testing.T) (*age.X25519Identity, string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id, keep(t, "age.txt", []byte("# created by a test\n"+id.String()+"\n"))
}

// sealed encrypts with age.
func sealed(t *testing.T, armoured bool, opened string, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	if !armoured {
		seal(t, &out, opened, to...)
		return out.Bytes()
	}
	w := armor.NewWriter(&out)
	var inner bytes.Buffer
	seal(t, &inner, opened, to...)
	if _, err := w.Write(inner.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func seal(t *testing.T, out *bytes.Buffer, opened string, to ...age.Recipient) {
	t.Helper()
	w, err := age.Encrypt(out, to...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(opened)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// tool gives the path of a program, or skips and says so.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: nothing to compare with", name)
	}
	return path
}

// run runs a tool and gives its output.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, errs.String())
	}
	return string(out)
}

// wants resolves a reference and compares: with a value, or with what the error says.
func wants(t *testing.T, o Options, text, want, wrong string) {
	t.Helper()
	got, err := New(o).Resolve(t.Context(), ref(t, text), "test")
	if wrong == "" {
		if err != nil || got.Reveal() != want {
			t.Errorf("%s: %q, %v (%s); want %q", text, got.Reveal(), err, fault.HintOf(err), want)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), wrong) {
		t.Errorf("%s: %q, error %v; want %q", text, got.Reveal(), err, wrong)
		return
	}
	if fault.HintOf(err) == "" || fault.CodeOf(err) != fault.Usage {
		t.Errorf("%s: no hint, or no usage error: %v", text, err)
	}
	if strings.Contains(err.Error()+fault.HintOf(err), value) {
		t.Errorf("%s: the error holds the secret: %v", text, err)
	}
}
