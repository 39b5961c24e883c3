package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

const value = "s3cr3t-Zeta"

func ref(t *testing.T, text string) secret.Ref {
	t.Helper()
	r, err := secret.ParseRef(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestResolve(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Setenv("VAULT_TEST", value)
	t.Setenv("VAULT_EMPTY", "")
	open := write(t, value+"\n", 0o644)
	cases := []struct {
		name, ref, want, wrong, hint string
	}{
		{name: "env", ref: "env:VAULT_TEST", want: value},
		{name: "env unset", ref: "env:VAULT_UNSET_X", wrong: "not set", hint: "export VAULT_UNSET_X"},
		{name: "env empty", ref: "env:VAULT_EMPTY", wrong: "empty"},
		{name: "file", ref: "file:" + write(t, value+"\n", 0o600), want: value},
		{name: "file without newline", ref: "file:" + write(t, value, 0o400), want: value},
		{name: "only one newline goes", ref: "file:" + write(t, value+"\n\n", 0o600), want: value + "\n"},
		{name: "file for all to read", ref: "file:" + open, wrong: "others can read it (mode 644)", hint: "chmod 600 " + open},
		{name: "file missing", ref: "file:/nonexistent/x", wrong: "no such file"},
		{name: "folder", ref: "file:" + t.TempDir(), wrong: "not a plain file"},
		{name: "file empty", ref: "file:" + write(t, "\n", 0o600), wrong: "empty"},
		{name: "file too long", ref: "file:" + write(t, strings.Repeat("x", maxSecret+1), 0o600), wrong: "more than 64 KiB"},
		{name: "exec", ref: `exec:printf '%s\n' ` + value, want: value},
		{name: "exec quotes", ref: `exec:echo "a b" 'c"d' e\ f`, want: `a b c"d e f`},
		{name: "exec fails", ref: "exec:false", wrong: "exit status 1", hint: "run it by hand: false"},
		{name: "exec missing", ref: "exec:patchring-no-such-command", wrong: "not found"},
		{name: "exec with a pipe", ref: "exec:echo a | cat", wrong: "without a shell"},
		{name: "exec prints nothing", ref: "exec:true", wrong: "empty"},
		{name: "exec prints too much", ref: "exec:head -c 100000 /dev/zero", wrong: "64 KiB"},
		{name: "prompt without a person", ref: "prompt", wrong: "nobody to ask", hint: "env:"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := New(Options{}).Resolve(t.Context(), ref(t, c.ref), "test")
			if c.wrong == "" {
				if err != nil || got.Reveal() != c.want {
					t.Fatalf("got %q, %v; want %q", got.Reveal(), err, c.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("error %v, want %q", err, c.wrong)
			}
			if hint := fault.HintOf(err); hint == "" || !strings.Contains(hint, c.hint) {
				t.Errorf("hint %q, want %q", hint, c.hint)
			}
			if fault.CodeOf(err) != fault.Usage {
				t.Errorf("code %s", fault.CodeOf(err))
			}
		})
	}
}

func TestNoSecretInErrors(t *testing.T) {
	leaky := write(t, "echo "+value+"; echo "+value+" >&2; exit 3", 0o700)
	for _, text := range []string{"exec:sh " + leaky, "file:" + write(t, value, 0o604)} {
		_, err := New(Options{}).Resolve(t.Context(), ref(t, text), "test")
		if err == nil || strings.Contains(err.Error()+fault.HintOf(err), value) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestExecTakesTooLong(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := New(Options{}).Resolve(ctx, ref(t, "exec:sleep 60"), "test")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
}

func TestEachReferenceOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		v := New(Options{Ask: func(_ context.Context, label string) (secret.Secret, error) {
			asked.Add(1)
			time.Sleep(time.Second) //nolint:forbidigo // virtual: a person types
			return secret.New(label), nil
		}})
		var all sync.WaitGroup
		for range 100 {
			for _, label := range []string{"a", "b"} {
				all.Go(func() {
					got, err := v.Resolve(t.Context(), ref(t, "prompt"), label)
					if err != nil || got.Reveal() != label {
						t.Errorf("%s: %q, %v", label, got.Reveal(), err)
					}
				})
			}
		}
		all.Wait()
		if asked.Load() != 2 {
			t.Errorf("asked %d times, want once a label", asked.Load())
		}
	})
}

func TestRefusalIsKeptButInterruptionIsNot(t *testing.T) {
	refused := errors.New("no")
	asked := 0
	v := New(Options{Ask: func(context.Context, string) (secret.Secret, error) {
		asked++
		return secret.Secret{}, refused
	}})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{ended, t.Context(), t.Context()} {
		if _, err := v.Resolve(ctx, ref(t, "prompt"), "x"); err == nil {
			t.Fatal("no error")
		}
	}
	if asked > 2 {
		t.Errorf("asked %d times", asked)
	}
	if _, err := v.Resolve(t.Context(), ref(t, "prompt"), "x"); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
}

func FuzzSplitWords(f *testing.F) {
	for _, seed := range []string{"pass show x", `op read "op://a b/c"`, `'`, `a\`, `""`, "a\tb\n", `"a\b\"c"`, "$x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line)
		if (err == nil) != (len(words) > 0) {
			t.Fatalf("%q: %q, %v", line, words, err)
		}
		if err != nil {
			return
		}
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		again, err := splitWords(strings.Join(quoted, " "))
		if err != nil || strings.Join(again, "\x00") != strings.Join(words, "\x00") {
			t.Fatalf("%q -> %q -> %q, %v", line, words, again, err)
		}
	})
}
