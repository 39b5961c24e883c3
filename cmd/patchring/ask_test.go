package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/term"
)

// fakeKeys is a terminal at which lines are typed.
type fakeKeys struct {
	lines    chan string
	readers  int
	restored int
}

func (k *fakeKeys) read(bool) typed {
	k.readers++
	return typed{text: []byte(<-k.lines)}
}

func (k *fakeKeys) state() (*term.State, error) { return &term.State{}, nil }

func (k *fakeKeys) restore(*term.State) { k.restored++ }

// givenUp asks a question whose context ends before anybody answers.
func givenUp(t *testing.T, p *person, echo bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { synctest.Wait(); cancel() }()
	if _, err := p.ask(ctx, "first", echo); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// TestAskAfterAQuestionThatWasGivenUp: whoever answers the second question is heard by it, whole.
func TestAskAfterAQuestionThatWasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, out := &fakeKeys{lines: make(chan string)}, &bytes.Buffer{}
		p := newPerson(keys, out)
		givenUp(t, p, false)
		if keys.restored != 1 {
			t.Error("the echo was not put back")
		}
		go func() { keys.lines <- "second-answer" }()
		got, err := p.ask(t.Context(), "second\x1b[2J", false)
		if err != nil || got.Reveal() != "second-answer" || keys.readers != 1 || keys.restored != 2 {
			t.Errorf("%q, %v: %d readers, restored %d times", got.Reveal(), err, keys.readers, keys.restored)
		}
		if text := out.String(); !strings.Contains(text, "second") || strings.Contains(text, "\x1b") {
			t.Errorf("%q", text)
		}
	})
}

// TestAskDropsALateAnswer: what was typed for a question that is over answers no other.
func TestAskDropsALateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := &fakeKeys{lines: make(chan string)}
		p := newPerson(keys, &bytes.Buffer{})
		givenUp(t, p, false)
		keys.lines <- "too late"
		synctest.Wait()
		go func() { keys.lines <- "second-answer" }()
		if got, err := p.ask(t.Context(), "second", false); err != nil || got.Reveal() != "second-answer" {
			t.Errorf("%q, %v", got.Reveal(), err)
		}
	})
}

// TestAskShowsNoPassword: a reader with echo is not used for one.
func TestAskShowsNoPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := &fakeKeys{lines: make(chan string)}
		p := newPerson(keys, &bytes.Buffer{})
		givenUp(t, p, true)
		if _, err := p.ask(t.Context(), "password", false); err == nil || !strings.Contains(err.Error(), "would be shown") {
			t.Errorf("%v", err)
		}
		keys.lines <- ""
	})
}
