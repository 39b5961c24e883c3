package device_test

import (
	"os"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/device"
)

// example is the device file of README.md.
func example(t *testing.T) *device.Kind {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```yaml\n")
	src, _, _ := strings.Cut(after, "```")
	kind, err := device.Parse("example", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

func TestReadmeExample(t *testing.T) {
	r := startKind(t, example(t), device.Options{Name: "r9"})
	if err := r.Leave("flash:new.bin", device.MakeImage("example", "2.0", 4000)); err != nil {
		t.Fatal(err)
	}
	s := r.shell("r1>")
	has(t, s.send("show ver", "r1>"), "Example OS 1.0, serial EX", "show ver\n")
	has(t, s.send("sh vers", "r1>"), "Example OS 1.0")
	has(t, s.send("reload", "r1>"), "% Unknown command: reload")
	if out := s.send("enable", "Password: "); strings.Contains(out, "pw") {
		t.Error("the secret is echoed")
	}
	s.send("wrong", "Password: ")
	s.send("pw", "r1#")
	has(t, s.send("install flash:boot.cfg", "r1#"), "% No image")
	s.send("install flash:new.bin", "n] ")
	s.raw("n")
	has(t, s.expect("r1#"), "Nothing done")
	s.send("install flash:new.bin", "n] ")
	s.raw("y")
	s.gone()
	s = r.back("r1>")
	has(t, s.send("show version", "r1>"), "Example OS 2.0")
	if truth := r.Truth(); truth.Boots != 1 || truth.Members[0].Values["version"] != "2.0" || truth.Armed["net"] == 0 {
		t.Errorf("truth: %+v", truth)
	}
	r.Advance(3 * 3600e9)
	s.gone()
	s = r.back("r1>")
	has(t, s.send("show version", "r1>"), "Example OS 1.0")
	done := r.Done()
	if done.Count("install") != 3 || done.Count("expired") != 1 || done.Count("reload") != 2 || len(done.Unknown) != 1 {
		t.Errorf("done: %+v", done)
	}
}
