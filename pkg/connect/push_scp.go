package connect

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// The old protocol of rcp, which scp spoke until OpenSSH 9 and still speaks with -O. We ask
// for "scp -t PATH" and nothing else: IOS refuses -d and -p. The other side acknowledges
// the start, the line "C0644 SIZE NAME", and the bytes with the zero that ends them.

// ackText bounds what a device may say with an acknowledgement.
const ackText = 512

// ack is an acknowledgement: 0 goes on; 1 is a warning, after which the file is skipped or
// not as it should be; 2 is the end. Anything else is no SCP at all.
type ack struct {
	status byte
	text   string // as the device said it, not cleaned
}

const (
	ackOK      = 0
	ackWarning = 1
	ackFatal   = 2
	ackNone    = 3 // ours: something else was said
)

// readAck reads one, with its line.
func readAck(r io.ByteReader) (ack, error) {
	first, err := r.ReadByte()
	if err != nil || first == ackOK {
		return ack{}, err //nolint:wrapcheck // io.EOF must stay what it is
	}
	a := ack{status: first}
	var text []byte
	if first != ackWarning && first != ackFatal {
		a.status, text = ackNone, append(text, first)
	}
	for len(text) < ackText {
		b, err := r.ReadByte()
		if err != nil || b == '\n' { // what was said until then is the answer
			return ack{a.status, string(text)}, nil //nolint:nilerr // likewise
		}
		text = append(text, b)
	}
	a.text = string(text)
	return a, nil
}

// scp sends the file over a channel of its own.
func (u pusher) scp(ctx context.Context, target string, content *exact, size int64) error {
	s, err := u.lease.startSink(ctx, "scp -t "+target)
	if err != nil {
		return err
	}
	err = s.send(ctx, target, content, size)
	s.end(ctx, err == nil)
	if err == nil {
		err = s.exited(target)
	}
	return err
}

// send is the whole dialogue.
func (s *sink) send(ctx context.Context, target string, content *exact, size int64) error {
	if err := s.agree(ctx, target); err != nil {
		return err
	}
	name := target[strings.LastIndexAny(target, "/:")+1:]
	if _, err := fmt.Fprintf(s.ch, "C0644 %d %s\n", size, name); err != nil {
		return s.broke(ctx, target, err)
	}
	if err := s.agree(ctx, target); err != nil {
		return err
	}
	s.sending.Store(true)
	_, err := io.Copy(s.ch, bufferOnly{content})
	if content.err != nil {
		return content.err // without the zero, the other side knows that it is not whole
	}
	if err == nil {
		_, err = s.ch.Write([]byte{0})
	}
	if err != nil {
		return s.broke(ctx, target, err)
	}
	return s.agree(ctx, target)
}

// bufferOnly hides what else the reader can do, so that it is copied in pieces of 32 KiB.
type bufferOnly struct{ io.Reader }

// agree waits for one acknowledgement, however late it comes.
func (s *sink) agree(ctx context.Context, target string) error {
	select {
	case a, open := <-s.acks:
		if !open {
			return s.broke(ctx, target, io.ErrUnexpectedEOF)
		}
		return a.fault(target)
	case <-ctx.Done():
		return lostFile(context.Cause(ctx))
	}
}

// broke explains a dialogue that ended early: by what the device said last, if anything.
func (s *sink) broke(ctx context.Context, target string, err error) error {
	if ctx.Err() != nil {
		return lostFile(context.Cause(ctx))
	}
	s.await(ctx)
	for a := range s.acks {
		if refusal := a.fault(target); refusal != nil {
			return refusal
		}
	}
	status, printed := s.leftovers()
	if !s.sending.Load() && (printed != "" || status > 0) {
		return refusedPush(target, printed)
	}
	return lostFile(err)
}

// exited judges the exit status of a dialogue that went well; IOS often sends none.
func (s *sink) exited(target string) error {
	if status, printed := s.leftovers(); status > 0 {
		return refusedPush(target, fmt.Sprintf("exit status %d %s", status, printed))
	}
	return nil
}

func (a ack) fault(target string) error {
	if a.status == ackOK {
		return nil
	}
	return refusedPush(target, a.text)
}

func refusedPush(target, said string) error {
	said = remote.Clean(strings.TrimSpace(said), peerText)
	if said == "" {
		said = "without a reason"
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, Step: "file", What: fmt.Sprintf("%s: the device refuses the file: %s", target, said),
		Hint: "is its SCP server switched on, is there space, and may this user write there?",
	}
}

// read passes on what the other side acknowledges. A refusal in the middle of the bytes
// closes the channel, since nobody may be reading them any more.
func (s *sink) read() {
	defer close(s.acks)
	r := bufio.NewReaderSize(s.ch, ackText)
	for range cap(s.acks) {
		a, err := readAck(r)
		if err != nil {
			return
		}
		s.acks <- a
		if a.status != ackOK {
			s.abort()
			break
		}
	}
	_, _ = io.Copy(io.Discard, r)
}
