package farm

import (
	"context"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if !Main(context.Background()) {
		m.Run()
	}
}

func TestMinimal(t *testing.T) {
	defer goleak.VerifyNone(t)
	f, err := Start(t.Context(), Config{Hosts: 3, Answer: []byte("hello"), Err: []byte("warning")})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	try(t, f.Directory)
	if f.Accepts() != 3 || f.Execs() != 3 {
		t.Errorf("%d accepts, %d execs, want 3 and 3", f.Accepts(), f.Execs())
	}
}

func TestSpawn(t *testing.T) {
	defer goleak.VerifyNone(t)
	d, stop, err := Spawn(t.Context(), Config{Hosts: 2, Answer: []byte("hello")})
	if err != nil {
		t.Fatal(err)
	}
	try(t, d)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func try(t *testing.T, d Directory) {
	t.Helper()
	config, err := d.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range d.Addresses {
		out, err := Minimal(address, config, "anything")
		if err != nil || string(out) != "hello" {
			t.Errorf("%s: %q, %v", address, out, err)
		}
	}
}
