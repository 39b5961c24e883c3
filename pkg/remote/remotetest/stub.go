package remotetest

import (
	"context"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// Stub is one thing that a Host can be asked, and its answer: "exit 0, no output"
// unless told otherwise. It is used once unless Times or Always says otherwise.
type Stub struct {
	what  string
	kind  kind
	words []string
	text  string
	times int // 0: any number, at least once
	used  int
	cuts  bool // the answer cuts the connection
	does  func(context.Context, remote.Command) (remote.Result, error)
	talks func(context.Context, remote.Exchange) (remote.Result, error)
}

type kind uint8

const (
	run kind = iota
	send
	put
	get
)

type question struct {
	kind    kind
	argv    []string
	text    string // stdin, or the content of a file
	line    string
	command remote.Command

	exchange remote.Exchange
}

// On matches a command by its argv, word by word. "*" in a word stands for any
// text; a last word "..." stands for any further words.
func On(argv ...string) *Stub { return newStub(run, argv) }

// OnSend matches a console exchange by what is sent.
func OnSend(line string) *Stub {
	return newStub(send, []string{line}).Ends(remote.Result{Ending: remote.Done})
}

// OnPut and OnGet match a file by its path.
func OnPut(path string) *Stub { return newStub(put, []string{path}) }

// OnGet answers with the output that Prints says.
func OnGet(path string) *Stub { return newStub(get, []string{path}) }

func newStub(k kind, words []string) *Stub {
	s := &Stub{what: strings.Join(words, " "), kind: k, words: words, times: 1}
	return s.Exits(0, "")
}

// Stdin demands that the command's stdin (or the file's content) holds this text.
func (s *Stub) Stdin(text string) *Stub {
	s.text = text
	return s
}

// Times is how often it must be asked.
func (s *Stub) Times(n int) *Stub {
	s.times = n
	return s
}

// Always answers any number of times, at least once.
func (s *Stub) Always() *Stub { return s.Times(0) }

// Prints exits 0 with this output; an exchange is Done.
func (s *Stub) Prints(out string) *Stub {
	if s.kind == send {
		return s.Ends(remote.Result{Ending: remote.Done, Out: []byte(out)})
	}
	return s.Exits(0, out)
}

// Exits ends with this status; a failing command's output goes to stderr.
func (s *Stub) Exits(code int, out string) *Stub {
	r := remote.Result{Ending: remote.Exited, Code: code, Out: []byte(out)}
	if code != 0 {
		r.Out, r.Err = nil, []byte(out)
	}
	return s.Ends(r)
}

// Ends gives this result.
func (s *Stub) Ends(r remote.Result) *Stub {
	return s.Does(func(context.Context, remote.Command) (remote.Result, error) { return r, nil })
}

// Fails gives this error, and the connection stays.
func (s *Stub) Fails(err error) *Stub {
	return s.Does(func(context.Context, remote.Command) (remote.Result, error) { return remote.Result{}, err })
}

// Cuts ends the connection: nobody knows how the command ended.
func (s *Stub) Cuts() *Stub {
	s.cuts = true
	return s.Fails(Lost())
}

// Talks answers an exchange with what a function says.
func (s *Stub) Talks(f func(context.Context, remote.Exchange) (remote.Result, error)) *Stub {
	s.talks = f
	return s
}

// Does answers with what a function says.
func (s *Stub) Does(f func(context.Context, remote.Command) (remote.Result, error)) *Stub {
	s.does, s.talks = f, nil
	return s
}

func (s *Stub) answer(ctx context.Context, q question) (remote.Result, error) {
	if q.kind == send && s.talks != nil {
		return s.talks(ctx, q.exchange)
	}
	r, err := s.does(ctx, q.command)
	if q.kind == send && s.cuts && q.exchange.MayDrop {
		return r, nil // as asked for
	}
	return r, err
}

func (s *Stub) matches(q question) bool {
	if s.kind != q.kind || (s.times > 0 && s.used >= s.times) || !strings.Contains(q.text, s.text) {
		return false
	}
	words := s.words
	if n := len(words); n > 0 && words[n-1] == "..." && len(q.argv) >= n-1 {
		words, q.argv = words[:n-1], q.argv[:n-1]
	}
	if len(words) != len(q.argv) {
		return false
	}
	for i, w := range words {
		if !like(w, q.argv[i]) {
			return false
		}
	}
	return true
}

// like matches text against a pattern in which "*" stands for any text.
func like(pattern, text string) bool {
	head, tail, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	if !ok {
		return false
	}
	for i := range len(text) + 1 {
		if like(tail, text[i:]) {
			return true
		}
	}
	return false
}
