package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/secret"
)

const planted = "hunter2-planted"

// Every road from a value to text that the standard library knows.
func TestSecretShowsItselfToNoFormat(t *testing.T) {
	s := secret.New(planted)
	type holder struct {
		S secret.Secret
		P *secret.Secret
		M map[string]secret.Secret
	}
	h := holder{S: s, P: &s, M: map[string]secret.Secret{"a": s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%p"} {
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, h)
		fmt.Fprintf(&out, verb, &h)
	}
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "h", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s, "h", h)
	hexed := fmt.Sprintf("%x", planted)
	if text := out.String(); strings.Contains(text, planted) || strings.Contains(strings.ToLower(text), hexed) {
		t.Fatalf("the secret got out:\n%s", text)
	}
	if s.Reveal() != planted {
		t.Fatal("Reveal must give the value")
	}
}

func TestEmptySecretIsNotNoSecret(t *testing.T) {
	if (secret.Secret{}).Set() {
		t.Error("the zero Secret must be absent")
	}
	if !secret.New("").Set() {
		t.Error("an empty passphrase is a secret")
	}
}

func TestParseRef(t *testing.T) {
	for _, good := range []string{"env:DB_PASS", "file:/run/secrets/x", "exec:pass show web/root", "prompt"} {
		ref, err := secret.ParseRef(good)
		if err != nil || ref.String() != good {
			t.Errorf("ParseRef(%q) = %q, %v", good, ref, err)
		}
	}
	for _, bad := range []string{"", planted, "env:", "https://" + planted, "prompt:" + planted, "ENV:" + planted, ":" + planted} {
		_, err := secret.ParseRef(bad)
		if err == nil {
			t.Errorf("ParseRef(%q) must fail", bad)
			continue
		}
		if strings.Contains(err.Error(), planted) {
			t.Errorf("the error repeats what may be a password: %v", err)
		}
	}
}
