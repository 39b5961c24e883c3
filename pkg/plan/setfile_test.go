package plan

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

func carried() SetFile {
	digest := patch.DigestOf([]byte("nginx"))
	return SetFile{
		Rollout: "2026-11-21-monthly-7f3a", Playbook: "monthly", Site: "hq", Ring: "production", Frozen: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Set: patch.PatchSet{Proven: []patch.Proven{
			{Domain: "debian 12 amd64", Name: "nginx", Arch: "amd64", Version: "1:2.0-1", Digest: digest, Size: 5, File: "pool/n/nginx.deb", Repository: "Debian <x>", Assurance: patch.AssuranceSigned},
			{Domain: "debian 12 amd64", Name: "curl", Arch: "amd64", Version: "8"},
		}},
	}
}

// TestSetFile: what was written is read again, whatever order the set came in, and its
// digest is that of the set alone.
func TestSetFile(t *testing.T) {
	raw, err := EncodeSet(carried())
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeSet(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != SetDigest(Freeze(carried().Set.Proven)) || got.Ring != "production" || len(got.Set.Proven) != 2 || got.Set.Proven[0].Name != "curl" {
		t.Errorf("%+v", got)
	}
	other := carried()
	other.Rollout, other.Set.Proven = "another", slices.Clone(other.Set.Proven)
	slices.Reverse(other.Set.Proven)
	again, err := EncodeSet(other)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := DecodeSet(again); err != nil || same.Digest != got.Digest {
		t.Errorf("%v %s, want %s", err, same.Digest, got.Digest)
	}
}

// TestForgedSets: nothing but what EncodeSet wrote is a patch set.
func TestForgedSets(t *testing.T) {
	raw, err := EncodeSet(carried())
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for name, tt := range map[string]struct{ text, say string }{
		"changed":       {strings.Replace(text, "1:2.0-1", "1:2.1-1", 1), "it was changed"},
		"no digest":     {strings.Replace(text, string(SetDigest(Freeze(carried().Set.Proven))), "", 1), "it was changed"},
		"more":          {text + "{}", "stands behind"},
		"unknown key":   {strings.Replace(text, `"rollout"`, `"rollback"`, 1), "unknown field"},
		"newer":         {strings.Replace(text, `"version": 1,`, `"version": 2,`, 1), "version 2"},
		"another kind":  {strings.Replace(text, setKind, "plan", 1), `kind is "plan"`},
		"cut":           {text[:len(text)/2], "unexpected"},
		"empty":         {"", "EOF"},
		"control":       {strings.Replace(text, "pool/n/nginx.deb", `pool\u001bn`, 1), "can't be printed"},
		"leads out":     {strings.Replace(text, "pool/n/nginx.deb", "pool/../../x", 1), "leads out"},
		"absolute":      {strings.Replace(text, "pool/n/nginx.deb", "/etc/passwd", 1), "leads out"},
		"an option":     {strings.Replace(text, `"curl"`, `"-curl"`, 1), "not whole"},
		"nameless":      {strings.Replace(text, `"curl"`, `""`, 1), "not whole"},
		"no such rest":  {strings.Replace(text, "signed_index", "hearsay", 1), "rests on nothing"},
		"no digest's":   {strings.Replace(text, "signed_index", "", 1), "rests on nothing"},
		"odd digest":    {strings.Replace(text, string(patch.DigestOf([]byte("nginx"))), "sha256:../../x", 1), "not a digest"},
		"not in order":  {strings.Replace(text, `"curl"`, `"zsh"`, 1), "not in order"},
		"much too long": {strings.Replace(text, `"curl"`, `"`+strings.Repeat("c", 600)+`"`, 1), "too long"},
	} {
		_, err := DecodeSet([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v, want %q", name, err, tt.say)
		} else if code := fault.CodeOf(err); code != fault.Usage && code != fault.Unsupported {
			t.Errorf("%s: code %s", name, code)
		}
	}
}

func FuzzDecodeSet(f *testing.F) {
	raw, err := EncodeSet(carried())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":1,"kind":"patch_set","set":{"proven":null}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := DecodeSet(text)
		if err != nil {
			return
		}
		if file.Digest != SetDigest(file.Set) {
			t.Errorf("digest %s of a set of %s", file.Digest, SetDigest(file.Set))
		}
		again, err := EncodeSet(file)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := DecodeSet(again); err != nil || same.Digest != file.Digest || bytes.Contains(again, []byte{0x1b}) {
			t.Errorf("%v: %s", err, again)
		}
	})
}
