package statedir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

// Two may never be inside, and never both hold what one budget allows to one: several
// goroutines, and a process of its own.
func TestReserveExcludes(t *testing.T) {
	if path := os.Getenv("PATCHRING_TEST_RESERVE"); path != "" {
		d := reopen(t, path)
		contend(t, d, os.Getenv("PATCHRING_TEST_ROLLOUT"))
		return
	}
	d := fresh(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		create(t, d, id, "playbook-"+id, day())
	}
	var wg sync.WaitGroup
	for _, id := range []string{"c", "d"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReserveExcludes$")
		child.Env = append(os.Environ(), "PATCHRING_TEST_RESERVE="+d.Path(), "PATCHRING_TEST_ROLLOUT="+id)
		wg.Go(func() {
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("the process of %s: %v\n%s", id, err, out)
			}
		})
	}
	wg.Go(func() { contend(t, d, "a") })
	wg.Go(func() { contend(t, d, "b") })
	wg.Wait()
}

func contend(t *testing.T, d *Dir, id string) {
	t.Helper()
	r, err := d.Rollout(id)
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	const rounds = 6
	for range rounds {
		err := r.Reserve(t.Context(), func(others map[fact.HostID]string) ([]fact.HostID, func() error, error) {
			mine := hosts(id)
			if len(others) > 0 {
				mine = nil
			}
			return mine, func() error { return alone(t, d, len(others)+len(mine)) }, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := release(t, r); err != nil {
		t.Error(err)
	}
}

// alone fails where somebody else is inside too, or where more is out than one host.
func alone(t *testing.T, d *Dir, out int) error {
	t.Helper()
	if out > 1 {
		t.Errorf("%d hosts are out", out)
	}
	f, err := d.root.OpenFile("inside", os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), d.root.Remove("inside"))
}

// BenchmarkReserve takes one host more and lets go of it, beside 100 rollouts that keep
// 50 hosts out each.
func BenchmarkReserve(b *testing.B) {
	d, err := Open(filepath.Join(b.TempDir(), "state"))
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	ctx := context.WithoutCancel(b.Context())
	take := func(r *Rollout, names ...string) {
		err := r.Reserve(ctx, func(map[fact.HostID]string) ([]fact.HostID, func() error, error) { return hosts(names...), nil, nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	var r *Rollout
	for i := range 101 {
		if r, err = d.Create(About{ID: fmt.Sprintf("r%d", i), Playbook: "monthly", Site: "hq", Created: day()}, nil); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = r.Close() })
		var names []string
		for h := range 50 {
			names = append(names, fmt.Sprintf("h%d-%d", i, h))
		}
		take(r, names...)
	}
	for b.Loop() {
		take(r, "one")
		take(r)
	}
}
