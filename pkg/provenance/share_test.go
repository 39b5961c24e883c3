package provenance_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/provenance"
)

// fleet are hosts with the same repositories, each of which wants a package of its own too.
func fleet(t testing.TB, size int) (hosts []*host, pkgs []pkg, keys *provenance.Keys) {
	t.Helper()
	key := newKey(t, "Archive")
	pkgs = []pkg{bash(), curl()}
	for n := range size {
		pkgs = append(pkgs, pkg{fmt.Sprintf("own%d", n), "1-1", fmt.Sprint(n)})
	}
	first := newHost("h0").apt(t, key, "lab", "bookworm", pkgs...)
	for n := range size {
		h := newHost(fmt.Sprintf("h%d", n))
		h.files, h.index = first.files, first.index
		hosts = append(hosts, h)
	}
	return hosts, pkgs, keysOf(t, key)
}

func TestFiftyHostsFetchAListOnce(t *testing.T) {
	hosts, pkgs, keys := fleet(t, 50)
	r := reader(t, keys)
	var all sync.WaitGroup
	for n, h := range hosts {
		all.Go(func() {
			own := pkgs[2+n]
			known, notes := h.ask(t.Context(), r, bash().wanted(), own.wanted())
			if len(known) != 2 || len(notes) != 0 || known[0].Digest != bash().digest() || known[1].Digest != own.digest() {
				t.Errorf("%s: %+v, %q", h.id, known, notes)
			}
		})
	}
	all.Wait()
	lists, heads := 0, 0
	for _, h := range hosts {
		lists += h.fetched("Packages")
		heads += h.fetched("InRelease")
	}
	if lists != 1 || heads != len(hosts) {
		t.Errorf("lists were fetched %d times, what is signed %d times", lists, heads)
	}
}

// A later process finds the list in the store.
func TestTheStoreOutlivesTheProcess(t *testing.T) {
	hosts, _, keys := fleet(t, 2)
	kept := newStore(t)
	for n, h := range hosts {
		r := provenance.New(kept, func(fact.HostID) *provenance.Keys { return keys }, today)
		if known, notes := h.ask(t.Context(), r, bash().wanted()); len(known) != 1 || len(notes) != 0 || h.fetched("Packages") != 1-n {
			t.Errorf("%+v, %q, fetched %d", known, notes, h.fetched("Packages"))
		}
	}
}

// One host's bad list is its own trouble, before and after a good one, in any order.
func TestABadListHurtsNobodyElse(t *testing.T) {
	for _, test := range []string{"Packages", "lab.db", "primary.xml"} {
		key := newKey(t, "Archive")
		fresh := func() *host {
			switch test {
			case "lab.db":
				return newHost("a").pacman(t, key, "lab", bash())
			case "primary.xml":
				return newHost("a").rpm(t, key, "lab", bash())
			}
			return newHost("a").apt(t, key, "lab", "bookworm", bash())
		}
		bad, good := fresh(), fresh()
		good.files, good.index = bytesOf(bad.files), append(good.index[:0], bad.index...) // signed alike
		bad.swap(test, func(b []byte) []byte { return bytes.Replace(b, []byte(bash().hexes()), []byte(curl().hexes()), 1) })
		r := reader(t, keysOf(t, key))
		want := bash().wanted()
		want.Arch = ""
		known, notes := bad.ask(t.Context(), r, want)
		wantNote(t, known, notes)
		for range 2 {
			if known, notes := good.ask(t.Context(), r, want); len(known) != 1 || len(notes) != 0 || known[0].Digest != bash().digest() {
				t.Errorf("%s: %+v, %q", test, known, notes)
			}
		}
		// What is known now holds for the host with the bad list as well.
		if known, _ := bad.ask(t.Context(), r, want); len(known) != 1 || known[0].Digest != bash().digest() {
			t.Errorf("%s: %+v", test, known)
		}
	}
}

func bytesOf(files map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for name, content := range files {
		out[name] = bytes.Clone(content)
	}
	return out
}

// Keys are each host's own: what one host's keys vouch for is nothing to another's.
func TestKeysAreNotShared(t *testing.T) {
	key := newKey(t, "Archive")
	h := newHost("trusting").apt(t, key, "lab", "bookworm", bash())
	other := newHost("other")
	other.files, other.index = h.files, h.index
	trust, distrust := keysOf(t, key), keysOf(t, newKey(t, "Other"))
	r := provenance.New(newStore(t), func(id fact.HostID) *provenance.Keys {
		if id == h.id {
			return trust
		}
		return distrust
	}, today)
	if known, notes := h.ask(t.Context(), r, bash().wanted()); len(known) != 1 || len(notes) != 0 {
		t.Errorf("%+v, %q", known, notes)
	}
	known, notes := other.ask(t.Context(), r, bash().wanted())
	wantNote(t, known, notes, "not trusted")
}

// A host that never gives its list keeps others waiting for a while, and no longer.
func TestAHostThatStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts, _, keys := fleet(t, 3)
		r := reader(t, keys)
		stalls := func(ctx context.Context, path string) error {
			if path != "/var/lib/lab/"+packagesName {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		hosts[0].get = stalls
		began := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			known, notes := hosts[0].ask(t.Context(), r, bash().wanted())
			wantNote(t, known, notes, "deadline")
		})
		synctest.Wait()
		all.Go(func() {
			if known, notes := hosts[1].ask(t.Context(), r, bash().wanted()); len(known) != 1 {
				t.Errorf("%+v, %q", known, notes)
			}
		})
		all.Go(func() { // one whose run is stopped meanwhile
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			known, _ := hosts[2].ask(ctx, r, bash().wanted())
			if len(known) != 0 {
				t.Errorf("%+v", known)
			}
		})
		all.Wait()
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// One that stalls at each of very many files is left in the end.
func TestAHostThatStallsEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts, _, keys := fleet(t, 1)
		h := hosts[0]
		for n := range 100 {
			again := h.index[0]
			again.Repository = fmt.Sprint(n)
			list := h.index[1]
			list.Repository = again.Repository
			h.index = append(h.index, again, list)
		}
		h.get = func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()
		known, notes := h.ask(t.Context(), reader(t, keys), bash().wanted())
		wantNote(t, known, notes, "deadline", "more")
		if took := time.Since(began); took > 30*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func BenchmarkSharedList(b *testing.B) {
	hosts, _, keys := fleet(b, 2000)
	r := reader(b, keys)
	want := []patch.Proven{bash().wanted(), curl().wanted()}
	for n := 0; b.Loop(); n++ {
		if known, notes := hosts[n%len(hosts)].ask(b.Context(), r, want...); len(known) != 2 {
			b.Fatal(notes)
		}
	}
}
