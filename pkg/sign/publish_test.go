package sign_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/sign"
)

func statement(seq uint64) sign.Statement {
	return sign.Statement{
		Rollout: "2026-11-22-monthly-0a1b2c", Site: "hq", Why: "gate production", Seq: seq, Line: patch.DigestOf([]byte{byte(seq)}),
		Time: noon(), As: "jane@hq", Key: "SHA256:x", Message: text, Signature: "-----BEGIN …",
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(got), "\n"), "\n")
}

func TestPublishToAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoints.jsonl")
	p := sign.Publisher{File: path}
	for _, seq := range []uint64{1, 2, 1, 2, 2, 3} {
		if err := p.Publish(t.Context(), statement(seq)); err != nil {
			t.Fatal(err)
		}
	}
	got := lines(t, path)
	if len(got) != 3 {
		t.Fatalf("%d lines: %q", len(got), got)
	}
	for i, line := range got {
		var s sign.Statement
		if err := json.Unmarshal([]byte(line), &s); err != nil || s != statement(uint64(i)+1) {
			t.Errorf("line %d reads %+v, %v", i, s, err)
		}
	}
}

// A line that a crash cut in two stays alone, and the statement is written whole.
func TestPublishAfterATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoints.jsonl")
	write(t, path, []byte(`{"rollout":"2026`))
	for range 2 {
		if err := (sign.Publisher{File: path}).Publish(t.Context(), statement(1)); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, path); len(got) != 2 || !json.Valid([]byte(got[1])) {
			t.Fatalf("got %q", got)
		}
	}
}

// Many at once, each the same few: every line is whole and there once.
func TestPublishAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoints.jsonl")
	const old = 50_000 // so that looking takes long enough for another to come between
	write(t, path, bytes.Repeat([]byte("{\"rollout\":\"an older one\"}\n"), old))
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range 60 {
		all.Go(func() {
			<-start
			if err := (sign.Publisher{File: path}).Publish(context.WithoutCancel(t.Context()), statement(uint64(i%20)+1)); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
	if got := lines(t, path); len(got) != old+20 {
		t.Errorf("%d lines: %q", len(got)-old, got[old:])
	}
}

func TestPublishRefuses(t *testing.T) {
	for name, change := range map[string]func(*sign.Statement){
		"a path as rollout": func(s *sign.Statement) { s.Rollout = "../x" },
		"no rollout":        func(s *sign.Statement) { s.Rollout = "" },
		"an option":         func(s *sign.Statement) { s.Rollout = "-x" },
		"no digest":         func(s *sign.Statement) { s.Line = "sha256:" },
		"no record":         func(s *sign.Statement) { s.Seq = 0 },
		"no signature":      func(s *sign.Statement) { s.Signature = "" },
	} {
		s := statement(1)
		change(&s)
		path := filepath.Join(t.TempDir(), "f")
		if err := (sign.Publisher{File: path}).Publish(t.Context(), s); err == nil {
			t.Errorf("%s was published", name)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a file was made", name)
		}
	}
}

func TestPublishSaysWhichPlacesFailed(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	err := sign.Publisher{File: dir, URL: "ftp://x/", Git: filepath.Join(dir, "none")}.Publish(t.Context(), statement(1))
	for _, want := range []string{dir + ": ", "not an http or https URL", "none: checkpoints/"} {
		wantError(t, err, want)
	}
	if err := (sign.Publisher{URL: "http://127.0.0.1:1/", File: good}).Publish(t.Context(), statement(1)); err == nil || len(lines(t, good)) != 1 {
		t.Errorf("one place that fails must keep none from the others: %v", err)
	}
}

// receiver is a server that keeps what it is sent.
type receiver struct {
	mu     sync.Mutex
	bodies []string
	keys   map[string]bool
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, string(body))
	r.keys[req.Header.Get("Idempotency-Key")] = true
	w.WriteHeader(http.StatusCreated)
}

func TestPublishToAServer(t *testing.T) {
	r := &receiver{keys: map[string]bool{}}
	server := httptest.NewServer(r)
	defer server.Close()
	for _, seq := range []uint64{1, 1, 2} {
		if err := (sign.Publisher{URL: server.URL + "/in?for=hq"}).Publish(t.Context(), statement(seq)); err != nil {
			t.Fatal(err)
		}
	}
	var s sign.Statement
	if err := json.Unmarshal([]byte(r.bodies[2]), &s); err != nil || s != statement(2) {
		t.Errorf("sent %q, %v", r.bodies[2], err)
	}
	if len(r.keys) != 2 || r.keys[""] || r.bodies[0] != r.bodies[1] {
		t.Errorf("keys %v: the same statement must be sent as the same", r.keys)
	}
}

func TestServersThatDoNotTakeIt(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		want   string
		kind   fault.Kind
	}{
		"500": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "no \x1b[2J disk", strings.Repeat("x", 1<<20))
		}, `HTTP status 500: no \x1b[2J disk`, fault.Retry},
		"403": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "HTTP status 403", fault.GiveUp},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "HTTP status 307", fault.GiveUp},
		"hang-up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "no answer", fault.Retry},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.handle)
			defer server.Close()
			secretly := server.URL + "/?token=" + passphrase
			for _, client := range []*http.Client{nil, server.Client()} {
				err := sign.Publisher{URL: secretly, Client: client}.Publish(t.Context(), statement(1))
				wantError(t, err, c.want)
				if fault.KindOf(err) != c.kind {
					t.Errorf("kind %d", fault.KindOf(err))
				}
			}
		})
	}
}

// A server that takes the statement and says nothing: the caller's own end frees it.
func TestServerThatHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	wantError(t, sign.Publisher{URL: server.URL}.Publish(ctx, statement(1)), "no answer")
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, url := range []string{"example.com", "file:///etc/passwd", "https://", "https://jane:" + passphrase + "@example.com/", "http://[", "http://x\n/"} {
		err := sign.Publisher{URL: url}.Publish(t.Context(), statement(1))
		wantError(t, err, "not an http or https URL")
		if fault.CodeOf(err) != fault.Usage {
			t.Errorf("%q: code %q", url, fault.CodeOf(err))
		}
	}
}

func TestStatementsAreOneLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	s := statement(1)
	s.Why = "a\nb\u2028\x1b"
	if err := (sign.Publisher{File: path}).Publish(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || bytes.Count(got, []byte("\n")) != 1 || bytes.ContainsAny(got, "\x1b\u2028") {
		t.Errorf("%q, %v", got, err)
	}
}
