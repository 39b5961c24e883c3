package remote_test

import (
	"bytes"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
)

const framed = "motd\n@@n begin a\nline\n\n@@n end 0\n@@n begin b c\nno newline\n@@n end 3\n@@n begin empty\n\n@@n end 0\n@@n eof\ntrailer\n"

func TestFrames(t *testing.T) {
	frames, err := remote.Frames([]byte(framed), "n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range frames {
		got = append(got, f.Name+"|"+string(f.Body)+"|"+strconv.Itoa(f.Code))
	}
	if want := []string{"a|line\n|0", "b c|no newline|3", "empty||0"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
}

// Nothing that a section prints is taken for a frame, and nothing that is missing
// for empty.
func TestFramesThatAreNotWhole(t *testing.T) {
	whole := strings.TrimSuffix(framed, "trailer\n")
	for i := range len(whole) {
		if frames, err := remote.Frames([]byte(whole[:i]), "n"); err == nil {
			t.Errorf("cut at %d: got %d frames", i, len(frames))
		}
	}
	for name, out := range map[string]string{
		"other nonce":  strings.ReplaceAll(framed, "@@n", "@@m"),
		"nested":       "@@n begin a\n@@n begin b\n@@n end 0\n@@n eof\n",
		"end first":    "@@n end 0\n@@n eof\n",
		"eof inside":   "@@n begin a\n@@n eof\n",
		"no status":    "@@n begin a\n@@n end x\n@@n eof\n",
		"big status":   "@@n begin a\n@@n end 256\n@@n eof\n",
		"no name":      "@@n begin\n@@n end 0\n@@n eof\n",
		"unknown word": "@@n hello\n@@n eof\n",
	} {
		if frames, err := remote.Frames([]byte(out), "n"); err == nil {
			t.Errorf("%s: got %+v", name, frames)
		}
	}
	forged, err := remote.Frames([]byte("@@n begin a\n@@m end 0\n @@n end 0\n\n@@n end 1\n@@n eof\n"), "n")
	if err != nil || len(forged) != 1 || forged[0].Code != 1 {
		t.Errorf("got %+v %v", forged, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte(framed))
	f.Add([]byte("@@n begin a\n@@n end 0"))
	f.Fuzz(func(t *testing.T, out []byte) {
		frames, err := remote.Frames(out, "n")
		if err != nil && frames != nil {
			t.Errorf("frames beside an error: %+v", frames)
		}
		for _, frame := range frames {
			if !bytes.Contains(out, frame.Body) || frame.Code < 0 || frame.Code > 255 || frame.Name == "" {
				t.Errorf("made up: %+v", frame)
			}
		}
	})
}

// The oracle: a real shell must read back exactly the value.
func FuzzLine(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("needs sh: not found")
	}
	const script = `IFS= read -r line
kind=${line%% *} value=${line#* }
case $value in *\\*) value=$(printf '%b.' "$value") && value=${value%.} ;; esac
printf '%s|%s' "$kind" "$value"`
	for _, value := range []string{"", "a b", `\n\0101\c`, "a\nb\n", "%s", " x ", "a\\\n"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsRune(value, 0) {
			t.Skip("needs a value without NUL: callers refuse it")
		}
		line := remote.Line("arg", value)
		if strings.Count(line, "\n") != 1 {
			t.Errorf("not one line: %q", line)
		}
		cmd := exec.CommandContext(t.Context(), sh, "-c", script)
		cmd.Stdin = strings.NewReader(line)
		if out, err := cmd.Output(); err != nil || string(out) != "arg|"+value {
			t.Errorf("%q came as %q: %v", value, out, err)
		}
	})
}
