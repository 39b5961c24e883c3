package repository

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

func packed(t testing.TB, compress func(io.Writer) (io.WriteCloser, error), content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := compress(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func xzOf(dict int) func(io.Writer) (io.WriteCloser, error) {
	return func(w io.Writer) (io.WriteCloser, error) {
		return xz.WriterConfig{DictCap: dict, BlockSize: 100_000}.NewWriter(w)
	}
}

// bzipped is "hello" as bzip2 packs it: Go can't.
const bzipped = "BZh91AY&SY\x19\x31\x65\x3d\x00\x00\x00\x81\x00\x02\x44\xa0\x00\x21\x9a\x68\x33\x4d\x07\x33\x8b\xb9\x22\x9c\x28\x48\x0c\x98\xb2\x9e\x80"

func TestEveryCompressionIsBounded(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<15)
	for name, file := range map[string][]byte{
		"plain": content, "gzip": gzipped(t, content), "xz": packed(t, xzOf(1<<20), content),
		"zstd": packed(t, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }, content),
		"lz4":  packed(t, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }, content),
	} {
		got, err := io.ReadAll(open(file, int64(len(content))))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		got, err = io.ReadAll(open(file, int64(len(content)-1)))
		if !errors.Is(err, ErrTooBig) || len(got) >= len(content) {
			t.Errorf("%s, one byte too many: %d bytes, %v", name, len(got), err)
		}
		if name == "plain" {
			continue
		}
		if _, err = io.ReadAll(open(file[:len(file)/2], int64(len(content)))); !errors.Is(err, ErrFormat) {
			t.Errorf("%s, cut: %v", name, err)
		}
	}
	if got, err := io.ReadAll(open([]byte(bzipped), 5)); err != nil || string(got) != "hello" {
		t.Errorf("bzip2: %q, %v", got, err)
	}
	if _, err := io.ReadAll(open([]byte(bzipped), 4)); !errors.Is(err, ErrTooBig) {
		t.Errorf("bzip2, one byte too many: %v", err)
	}
	if _, err := io.ReadAll(open([]byte("BZh9 broken"), 100)); !errors.Is(err, ErrFormat) {
		t.Errorf("bzip2: %v", err)
	}
}

func TestXZThatAsksForMuchMemoryIsRefused(t *testing.T) {
	content := bytes.Repeat([]byte("x"), 300_000) // four blocks
	good := packed(t, xzOf(1<<20), content)
	if err := checkXZ(good); err != nil {
		t.Fatal(err)
	}
	// Every block's own header is held to the limit: 40 means 4 GiB.
	for i := 12; i < len(good); i++ {
		if good[i] != 0x21 || good[i+1] != 1 {
			continue
		}
		greedy := bytes.Clone(good)
		greedy[i+2] = 40
		if err := checkXZ(greedy); !errors.Is(err, ErrTooBig) {
			t.Errorf("at %d: %v", i, err)
		}
		if _, err := io.ReadAll(open(greedy, maxInflated)); err == nil {
			t.Errorf("at %d it was read", i)
		}
	}
	for i := range good[:len(good)-40] {
		_ = checkXZ(good[:i]) // must not read past the end
	}
}

// The walk must agree with files of the real tool, of every preset and check.
func TestXZAsTheRealToolWritesIt(t *testing.T) {
	tool, err := exec.LookPath("xz")
	if err != nil {
		t.Skip("no xz here: its files can't be tried")
	}
	content := bytes.Repeat(recorded(t, "debian/updates.InRelease"), 8)
	for _, args := range [][]string{{"-0"}, {"-9e"}, {"--check=none"}, {"--check=crc32"}, {"--check=sha256"}, {"--block-size=65536", "-T2"}} {
		cmd := exec.Command(tool, append(args, "-c")...)
		cmd.Stdin = bytes.NewReader(content)
		file, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(open(file, maxInflated)); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%v: %d bytes, %v", args, len(got), err)
		}
	}
}
