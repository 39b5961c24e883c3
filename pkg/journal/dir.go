package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/statedir"
)

// disk is what a journal is written through. It is the file itself; tests put one
// that fails in between.
type disk interface {
	WriteAt(p []byte, at int64) (int, error)
	Truncate(size int64) error
	Sync() error
}

// Dir is the journal in the folder of one rollout. Several processes may hold it open;
// the lock of the file keeps their appends apart. It is safe for concurrent use.
type Dir struct {
	root *os.Root
	file *os.File
	disk disk

	mu     sync.Mutex
	end    place   // behind the last record that was verified
	broken error   // a write failed and could not be taken back: nothing is appended any more
	damage *Damage // of the tail
}

// place is a mark with its offset in the file.
type place struct {
	Mark
	at int64
}

// Damage is a torn tail: what an append left that never came to its end, because the
// process or the machine died. No such append has been acted upon.
type Damage struct {
	After uint64 // the last good record
	Bytes int64
	Kept  string // the file that the bytes were copied to; empty: they still stand in the journal
}

func (d Damage) String() string {
	kept := ""
	if d.Kept != "" {
		kept = "; they are kept in " + d.Kept
	}
	return fmt.Sprintf("the journal ends in %d bytes that are no record, behind record %d, as an append that was cut off leaves them%s", d.Bytes, d.After, kept)
}

var _ Journal = (*Dir)(nil)

// Open opens the journal in a rollout's folder, which must stay open as long. The file
// must be there: statedir creates it with the folder.
func Open(root *os.Root) (*Dir, error) {
	file, err := root.OpenFile(statedir.JournalName, os.O_RDWR, 0)
	if err != nil { // an archive may be read-only: then it can be read, and an append fails
		file, err = root.OpenFile(statedir.JournalName, os.O_RDONLY, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return &Dir{root: root, file: file, disk: file}, nil
}

// Close closes the file.
func (d *Dir) Close() error {
	if err := d.file.Close(); err != nil {
		return fmt.Errorf("close the journal: %w", err)
	}
	return nil
}

// Damage tells of a torn tail that Read or Append has come upon.
func (d *Dir) Damage() (Damage, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.damage == nil {
		return Damage{}, false
	}
	return *d.damage, true
}

// Append implements Journal. A torn tail is copied aside first. When the write or the
// sync fails, the file is cut back to where it was; where even that fails, the error
// says so, and nothing is appended any more: whole records of this append may then
// stand in the file, each of them true.
func (d *Dir) Append(ctx context.Context, after uint64, records ...Record) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := errors.Join(ctx.Err(), d.broken); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	release, err := statedir.Flock(d.file, true)
	if err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	err = d.append(ctx, after, records)
	return errors.Join(err, release())
}

func (d *Dir) append(ctx context.Context, after uint64, records []Record) error {
	if err := d.read(ctx, d.end, true, nil); err != nil {
		return err
	}
	if d.end.Seq != after {
		return fmt.Errorf("append behind record %d: %w: its last is %d", after, ErrMoved, d.end.Seq)
	}
	text, next, err := lines(d.end, records)
	if err != nil || len(text) == 0 {
		return err
	}
	if err := d.setAside(); err != nil {
		return err
	}
	if err := d.write(text); err != nil {
		return err
	}
	d.end = next
	return nil
}

// lines writes records as the text that follows end.
func lines(end place, records []Record) ([]byte, place, error) {
	var text []byte
	for _, r := range records {
		line, mark, err := Line(end.Mark, r)
		if err != nil {
			return nil, end, err
		}
		text = append(append(text, line...), '\n')
		end = place{Mark: mark, at: end.at + int64(len(line)) + 1}
	}
	return text, end, nil
}

// write puts text behind the last record and makes it durable, or takes it back.
func (d *Dir) write(text []byte) error {
	_, err := d.disk.WriteAt(text, d.end.at)
	if err == nil {
		err = d.disk.Sync()
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("append to the journal: %w", err)
	back := d.disk.Truncate(d.end.at)
	if back == nil {
		back = d.disk.Sync()
	}
	if back != nil {
		d.broken = fmt.Errorf("an earlier append failed and may stand in the file in part: %w", errors.Join(err, back))
		return d.broken
	}
	return err
}

// setAside copies a torn tail into a file of its own and cuts it off.
func (d *Dir) setAside() error {
	if d.damage == nil || d.damage.Kept != "" {
		return nil
	}
	torn := make([]byte, d.damage.Bytes)
	if _, err := d.file.ReadAt(torn, d.end.at); err != nil {
		return fmt.Errorf("keep the journal's torn tail: %w", err)
	}
	name := fmt.Sprintf("%s.torn-%d-%s", statedir.JournalName, d.end.Seq, patch.DigestOf(torn).Short())
	if err := keep(d.root, name, torn); err != nil {
		return fmt.Errorf("keep the journal's torn tail: %w", err)
	}
	if err := d.disk.Truncate(d.end.at); err != nil {
		return fmt.Errorf("cut off the journal's torn tail: %w", err)
	}
	d.damage.Kept = name
	return nil
}

func keep(root *os.Root, name string, content []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
