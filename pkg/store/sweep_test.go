package store

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/statedir"
)

// now is when tests sweep; what they put, they make older.
func now() time.Time { return time.Now().Add(time.Hour) }

// aged puts content, and makes it as old as that.
func aged(t *testing.T, s *Store, content string, old time.Duration) patch.Digest {
	t.Helper()
	digest := put(t, s, content)
	if err := s.root.Chtimes(place(digest), now().Add(-old), now().Add(-old)); err != nil {
		t.Fatal(err)
	}
	return digest
}

func sweep(t *testing.T, s *Store, dry bool, used ...patch.Digest) (gone []patch.Digest) {
	t.Helper()
	all := map[patch.Digest]bool{}
	for _, d := range used {
		all[d] = true
	}
	out, err := s.Sweep(all, now(), dry)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(used) {
		t.Error("the caller's set was changed")
	}
	for _, p := range out {
		gone = append(gone, p.Object)
	}
	return gone
}

func TestSweep(t *testing.T) {
	s, path := fresh(t)
	const week = 7 * 24 * time.Hour
	if gone := sweep(t, s, false); len(gone) != 0 {
		t.Errorf("an empty store lost %v", gone)
	}
	used, unused, young := aged(t, s, "used", week), aged(t, s, "unused", week), aged(t, s, "young", 23*time.Hour)
	leaf := aged(t, s, "leaf", week)
	inner := aged(t, s, fmt.Sprintf(`{"sample":%q}`, leaf), week)
	outer := aged(t, s, fmt.Sprintf(`[%q]`, inner), week)
	binary := aged(t, s, "\x7fELF "+string(unused), week) // an image refers to nothing
	missing := patch.DigestOf([]byte("never put"))
	if err := os.WriteFile(filepath.Join(path, "sha256", "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		if gone := sweep(t, s, dry, used, outer, binary, missing); !slices.Equal(gone, []patch.Digest{unused}) {
			t.Errorf("dry %v: gone are %v, want %s", dry, gone, unused)
		}
	}
	for _, d := range []patch.Digest{used, young, leaf, inner, outer, binary} {
		if _, err := s.Get(d, 1<<10); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(path, "sha256", "notes.txt")); err != nil {
		t.Errorf("what is not the store's: %v", err)
	}
}

// What is put again is needed anew: it is young, though its content was there.
func TestSweepSparesWhatIsPutAgain(t *testing.T) {
	s, _ := fresh(t)
	aged(t, s, "facts", 100*24*time.Hour)
	put(t, s, "facts")
	if gone := sweep(t, s, false); len(gone) != 0 {
		t.Errorf("gone are %v", gone)
	}
}

func TestSweepClearsAwayWhatPutLeft(t *testing.T) {
	s, path := fresh(t)
	put(t, s, "facts")
	dir := filepath.Dir(filepath.Join(path, filepath.FromSlash(place(patch.DigestOf([]byte("facts"))))))
	for name, at := range map[string]time.Time{".new-old": now().Add(-25 * time.Hour), ".new-young": now()} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.Sweep(nil, now(), false)
	if err != nil || len(out) != 1 || filepath.Base(out[0].Left) != ".new-old" || out[0].Bytes != 4 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".new-young")); err != nil {
		t.Error(err)
	}
}

// While others sweep, what Put has just returned stays, however old its content is.
func TestPutWhileSweeping(t *testing.T) {
	s, _ := fresh(t)
	done := make(chan struct{})
	var sweepers sync.WaitGroup
	for range 2 {
		sweepers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := s.Sweep(nil, now(), false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	long := now().Add(-48 * time.Hour)
	for n := range 100 {
		digest := patch.DigestOf([]byte(fmt.Sprint(n % 3)))
		_ = s.root.Chtimes(place(digest), long, long) // it may be swept now, or just have been
		put(t, s, fmt.Sprint(n%3))
		if _, err := s.Get(digest, 10); err != nil {
			t.Errorf("put %d: %v", n, err)
		}
	}
	close(done)
	sweepers.Wait()
}

// Put waits while a file is looked at and removed: in between, the file must not become
// one that somebody counts on.
func TestPutWaitsForARemoval(t *testing.T) {
	s, _ := fresh(t)
	aged(t, s, "facts", 48*time.Hour)
	release, err := s.lock(true)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.Put([]byte("facts"))
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("put in the middle of a removal: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if err := s.root.Remove(place(patch.DigestOf([]byte("facts")))); err != nil {
		t.Error(err)
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := s.Get(patch.DigestOf([]byte("facts")), 10); err != nil {
		t.Error(err)
	}
}

// It fits what statedir.Prune asks for.
func TestSweepFitsPruning(t *testing.T) {
	s, _ := fresh(t)
	p := statedir.Pruning{Sweep: s.Sweep}
	if out, err := p.Sweep(nil, now(), true); err != nil || len(out) != 0 {
		t.Errorf("%v, %v", out, err)
	}
}
