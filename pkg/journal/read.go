package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/statedir"
)

// maxLine bounds one record. The largest is the opening of a rollout, which names
// every host: 64 MiB are some hundred thousand hosts.
const maxLine = 64 << 20

// Read implements Journal. It changes nothing, whatever it finds. What stands before
// from is verified too, unless this Dir has done so already.
//
// fn must not use this Dir. Others may append meanwhile; their records come with the
// next Read.
func (d *Dir) Read(ctx context.Context, from uint64, fn func(Record) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	start := place{}
	if from > d.end.Seq {
		start = d.end
	}
	return d.read(ctx, start, false, func(r Record) error {
		if r.Seq < from {
			return nil
		}
		return fn(r)
	})
}

// read verifies the records from start to the end of the file and gives them to fn,
// which may be nil. It moves d.end forward, never back. The caller holds d.mu; locked
// says whether it holds the file's lock too.
func (d *Dir) read(ctx context.Context, start place, locked bool, fn func(Record) error) error {
	whole, size, err := d.extent(locked)
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	if size < d.end.at {
		return spoiled(d.file.Name(), d.end, errors.New("the file has become shorter"))
	}
	r := &reader{name: d.file.Name(), now: start, fn: fn}
	r.from = bufio.NewReaderSize(io.NewSectionReader(d.file, start.at, max(0, whole-start.at)), 1<<16)
	if err := r.run(ctx); err != nil {
		return err
	}
	if r.now.at > d.end.at {
		d.end = r.now
	}
	d.note(size)
	return nil
}

// note keeps what stands behind the last record.
func (d *Dir) note(size int64) {
	switch torn := size - d.end.at; {
	case torn > 0:
		d.damage = &Damage{After: d.end.Seq, Bytes: torn}
	case d.damage != nil && d.damage.Kept == "":
		d.damage = nil // another process has set it aside, or has come to its end
	}
}

// extent looks at the file while nobody writes to it: whole is the end of its last
// complete line. What stands before whole never changes again, so that it can be
// read without the lock.
func (d *Dir) extent(locked bool) (whole, size int64, err error) {
	if !locked {
		release, err := statedir.Flock(d.file, false)
		if err != nil {
			return 0, 0, err
		}
		defer func() { err = errors.Join(err, release()) }()
	}
	info, err := d.file.Stat()
	if err != nil {
		return 0, 0, err
	}
	const block = 64 << 10
	for end := info.Size(); end > 0; end -= block {
		buf := make([]byte, min(end, block))
		from := end - int64(len(buf))
		if _, err := d.file.ReadAt(buf, from); err != nil {
			return 0, 0, err
		}
		if i := bytes.LastIndexByte(buf, '\n'); i >= 0 {
			return from + int64(i) + 1, info.Size(), nil
		}
	}
	return 0, info.Size(), nil
}

// reader goes through the complete lines of the file.
type reader struct {
	name string
	from *bufio.Reader
	now  place // behind the last good record
	fn   func(Record) error
}

// run ends without an error at the end of the complete lines alone. An append writes
// its newline last, so that a complete line which is no record was not cut off: it was
// changed, or put there by something else.
func (r *reader) run(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return fmt.Errorf("read the journal: %w", ctx.Err())
		}
		line, err := r.line()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return r.spoiled(err)
		}
		record, mark, err := Parse(r.now.Mark, line)
		if err != nil {
			return r.spoiled(err)
		}
		r.now = place{Mark: mark, at: r.now.at + int64(len(line)) + 1}
		if r.fn == nil {
			continue
		}
		if err := r.fn(record); err != nil {
			return err
		}
	}
}

// line reads one line, without its newline.
func (r *reader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.from.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxLine:
			return nil, fmt.Errorf("a line of more than %d bytes", maxLine)
		}
	}
}

func (r *reader) spoiled(cause error) error { return spoiled(r.name, r.now, cause) }

// spoiled is damage that nobody may read over: what came behind it can't be trusted.
// Each record is a line, so the line's number follows from the last good record.
func spoiled(name string, at place, cause error) error {
	if fault.CodeOf(cause) == fault.Unsupported {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Unsupported, What: name, Hint: fault.HintOf(cause), Err: cause}
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Internal, Err: cause,
		What: fmt.Sprintf("%s, line %d: the journal is damaged behind record %d (byte %d)", name, at.Seq+1, at.Seq, at.at),
		Hint: "nothing is done with a journal that can't be trusted: restore it from a copy of the state folder",
	}
}
