package remotetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// recorder is a test that notes its errors and cleans up when told.
type recorder struct {
	testing.TB
	errs  []string
	after []func()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errs = append(r.errs, fmt.Sprintf(format, args...))
}
func (r *recorder) Cleanup(f func()) { r.after = append(r.after, f) }

func (r *recorder) end() []string {
	for _, f := range r.after {
		f()
	}
	return r.errs
}

func connect(t *testing.T, h *Host) remote.Session {
	t.Helper()
	s, _, err := h.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(t *testing.T, s remote.Session, argv ...string) (remote.Result, error) {
	t.Helper()
	return s.Runner.Run(t.Context(), remote.Command{Argv: argv, Stdin: []byte("data")})
}

func TestStubsAnswerInTheirOrder(t *testing.T) {
	h := New(t, On("look").Prints("1"), On("look").Prints("2").Times(2), On("do", "*=*", "...").Stdin("data").Exits(3, "no"))
	s := connect(t, h)
	var got []string
	for range 3 {
		r, err := ask(t, s, "look")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(r.Out))
	}
	if !slices.Equal(got, []string{"1", "2", "2"}) {
		t.Errorf("got %q", got)
	}
	if r, err := ask(t, s, "do", "a=b", "c", "d"); err != nil || r.Code != 3 || string(r.Err) != "no" {
		t.Errorf("got %+v %v", r, err)
	}
	if calls := h.Calls(); len(calls) != 4 || calls[3] != "do a=b c d" {
		t.Errorf("got %q", calls)
	}
}

func TestWhatWasNotToldOfFails(t *testing.T) {
	r := &recorder{TB: t}
	h := New(r, On("a"), On("b").Times(2), On("c").Always(), On("d").Stdin("other"))
	s := connect(t, h)
	if _, err := ask(t, s, "b"); err != nil {
		t.Error(err)
	}
	for _, argv := range [][]string{{"e"}, {"a", "b"}, {"d"}} {
		if _, err := ask(t, s, argv...); err == nil {
			t.Errorf("%q was answered", argv)
		}
	}
	if errs := r.end(); len(errs) != 7 {
		t.Errorf("3 unknown and 4 unused, got %q", errs)
	}
}

func TestLostConnections(t *testing.T) {
	h := New(t, On("a").Cuts(), On("a").Always())
	s := connect(t, h)
	for range 2 { // the cut, and the dead session
		if r, err := ask(t, s, "a"); fault.CodeOf(err) != fault.Lost || r.Ending != remote.Lost {
			t.Errorf("got %+v %v", r, err)
		}
	}
	auth := errors.New("no key")
	h.Down(nil, auth)
	for _, want := range []error{Unreachable(), auth} {
		if _, _, err := h.Session(t.Context()); err == nil || err.Error() != want.Error() {
			t.Errorf("want %v, got %v", want, err)
		}
	}
	s = connect(t, h)
	if _, err := ask(t, s, "a"); err != nil || h.Opens() != 4 {
		t.Errorf("%v, %d connections", err, h.Opens())
	}
	h.Drop()
	if _, err := ask(t, s, "a"); fault.CodeOf(err) != fault.Lost {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := h.Session(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestConsoleAndFiles(t *testing.T) {
	h := New(t, OnSend("reload"), OnPut("/x*").Stdin("content"), OnGet("/y").Prints("0123456789"))
	s := connect(t, h)
	if r, err := s.Console.Exchange(t.Context(), remote.Exchange{Send: "reload"}); err != nil || r.Ending != remote.Done {
		t.Errorf("got %+v %v", r, err)
	}
	content := "the content"
	if err := s.Files.Put(t.Context(), "/x/y", strings.NewReader(content), patch.DigestOf([]byte(content))); err != nil {
		t.Error(err)
	}
	if err := s.Files.Put(t.Context(), "/x/y", strings.NewReader(content), patch.DigestOf(nil)); err == nil {
		t.Error("a wrong digest was taken")
	}
	f, err := s.Files.Get(t.Context(), "/y", 4)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "0123" {
		t.Errorf("got %q %v", b, err)
	}
}

func TestExchanges(t *testing.T) {
	h := New(t, OnSend("show *").Prints("1"), OnSend("reload").Cuts(), OnSend("ask").Talks(
		func(_ context.Context, e remote.Exchange) (remote.Result, error) {
			return remote.Result{Ending: remote.Asked, Out: []byte(e.Questions[0].Ask)}, nil
		}))
	s := connect(t, h)
	if r, err := s.Console.Exchange(t.Context(), remote.Exchange{Send: "show x"}); err != nil || r.Ending != remote.Done || string(r.Out) != "1" {
		t.Errorf("got %+v %v", r, err)
	}
	asked := remote.Exchange{Send: "ask", Questions: []remote.Question{{Ask: "sure"}}}
	if r, err := s.Console.Exchange(t.Context(), asked); err != nil || r.Ending != remote.Asked || string(r.Out) != "sure" {
		t.Errorf("got %+v %v", r, err)
	}
	if r, err := s.Console.Exchange(t.Context(), remote.Exchange{Send: "reload", MayDrop: true}); err != nil || r.Ending != remote.Lost {
		t.Errorf("got %+v %v", r, err)
	}
}
