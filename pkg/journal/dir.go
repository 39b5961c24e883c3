package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/statedir"
)

// disk is what everything is written through. It is the file itself; tests put one
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
	over func(*os.File) disk

	mu     sync.Mutex
	end    place   // behind the last record that was verified
	broken error   // what the disk holds is not known: nothing is appended any more
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
	return &Dir{root: root, file: file, over: func(f *os.File) disk { return f }}, nil
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

// Append implements Journal. A torn tail is copied aside first. When the write fails,
// the file is cut back to where it was. Where even that fails, and whenever a sync
// fails, what the disk holds is not known: the error is statedir.ErrInDoubt, and this
// Dir appends nothing any more. Syncing again would prove nothing, since the system
// may have given up what it could not write. Whole records of that append may then
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
	if e := release(); e != nil {
		err = errors.Join(err, fmt.Errorf("append to the journal: %w: %w", statedir.ErrInDoubt, e))
	}
	return err
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
		if len(line) > maxLine {
			return nil, end, fmt.Errorf("record %d has more than %d bytes", mark.Seq, maxLine)
		}
		text = append(append(text, line...), '\n')
		end = place{Mark: mark, at: end.at + int64(len(line)) + 1}
	}
	return text, end, nil
}

// write puts text behind the last record and makes it durable, or takes it back.
func (d *Dir) write(text []byte) error {
	disk := d.over(d.file)
	if err := put(disk, text, d.end.at); err != nil {
		err = fmt.Errorf("append to the journal: %w", err)
		if back := d.cut(disk); back != nil {
			return d.doubt(errors.Join(err, back))
		}
		return err
	}
	if err := disk.Sync(); err != nil {
		// Others shall not read what may not last. That the cut lasts is not known either.
		return d.doubt(errors.Join(fmt.Errorf("append to the journal: %w", err), disk.Truncate(d.end.at)))
	}
	return nil
}

// cut takes everything behind the last record away, for good.
func (d *Dir) cut(disk disk) error {
	if err := disk.Truncate(d.end.at); err != nil {
		return err
	}
	return disk.Sync()
}

func (d *Dir) doubt(cause error) error {
	d.broken = fmt.Errorf("%w, so that this process appends nothing more: %w", statedir.ErrInDoubt, cause)
	return d.broken
}

// put writes all of text, or fails.
func put(to disk, text []byte, at int64) error {
	n, err := to.WriteAt(text, at)
	if err == nil && n < len(text) {
		return io.ErrShortWrite
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
	if err := d.keep(name, torn); err != nil {
		return fmt.Errorf("keep the journal's torn tail: %w", err)
	}
	if err := d.cut(d.over(d.file)); err != nil {
		return d.doubt(fmt.Errorf("cut off the journal's torn tail: %w", err))
	}
	d.damage.Kept = name
	return nil
}

// keep makes a file and its name durable.
func (d *Dir) keep(name string, content []byte) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	to := d.over(f)
	if err = put(to, content, 0); err == nil {
		err = to.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	folder, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.over(folder).Sync(), folder.Close())
}
