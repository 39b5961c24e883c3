package repository

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// sane holds whatever came through a parser to what Entry promises.
func sane(t *testing.T) func(Entry) error {
	t.Helper()
	x := &Index{}
	return func(e Entry) error {
		if err := x.add(e); err != nil {
			return err
		}
		for _, kept := range x.Entries() {
			for part := range strings.SplitSeq(kept.File, "/") {
				if part == ".." || part == "" {
					t.Errorf("file %q", kept.File)
				}
			}
			for _, text := range []string{kept.Name, kept.Version, kept.Arch, kept.File} {
				if text == "" || text[0] == '-' || text != clean(text) && len(text) < 200 {
					t.Errorf("%q in %+v", text, kept)
				}
			}
			if kept.Digest != "" && len(kept.Digest) != 71 || kept.Size < 0 {
				t.Errorf("%+v", kept)
			}
		}
		return nil
	}
}

func FuzzRelease(f *testing.F) {
	f.Add(recorded(f, "apt/Release"))
	f.Add([]byte("Suite: s\nDate: Sat, 1 Aug 2026 01:02:03 UTC\nSHA256:\n " + hexOf("a") + " 5 p\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRelease(text)
		if err != nil {
			return
		}
		for name, listed := range r.Files {
			if plain, ok := inside(name); !ok || plain != name || listed.Size < 0 || len(listed.SHA256) != 64 {
				t.Errorf("%q: %+v", name, listed)
			}
		}
	})
}

// A message that is not the recorded one, up to white space, must not be accepted.
func FuzzInRelease(f *testing.F) {
	good, keys := recorded(f, "apt/InRelease"), recordedRing(f, "key.asc")
	text, _, err := keys.VerifyClear(good, today())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(recorded(f, "apt/InRelease.sha1"))
	f.Fuzz(func(t *testing.T, message []byte) {
		got, _, err := keys.VerifyClear(message, today())
		if err == nil && !bytes.Equal(got, text) {
			t.Errorf("accepted %q", got)
		}
	})
}

func FuzzDetached(f *testing.F) {
	text, keys := recorded(f, "apt/Release"), recordedRing(f, "key.asc")
	f.Add(text, recorded(f, "apt/Release.gpg"))
	f.Add(recorded(f, "pacman/demo.db"), recorded(f, "pacman/demo.db.sig"))
	known := [][]byte{text, recorded(f, "pacman/demo.db"), recorded(f, "rpm/repomd.xml")}
	f.Fuzz(func(t *testing.T, signed, sig []byte) {
		if _, err := keys.Verify(signed, sig, today()); err == nil && !contains(known, signed) {
			t.Errorf("accepted %q", signed)
		}
	})
}

func contains(all [][]byte, one []byte) bool {
	for _, b := range all {
		if bytes.Equal(b, one) {
			return true
		}
	}
	return false
}

func FuzzKeyring(f *testing.F) {
	f.Add(recorded(f, "key.asc"))
	f.Add(recorded(f, "key.gpg"))
	f.Add(recorded(f, "debian/bookworm-automatic.asc"))
	text, sig := recorded(f, "apt/Release"), recorded(f, "apt/Release.gpg")
	f.Fuzz(func(t *testing.T, file []byte) {
		k, err := ParseKeyring(file)
		if err != nil {
			return
		}
		if s, err := k.Verify(text, sig, today()); err == nil && (k.Len() == 0 || s.UserID != clean(s.UserID)) {
			t.Errorf("%+v", s)
		}
	})
}

func FuzzPackages(f *testing.F) {
	f.Add(recorded(f, "apt/main/binary-amd64/Packages"))
	f.Add([]byte(stanzaText("x", "1", "all", "./f", hexOf("a"))))
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = readPackages(bytes.NewReader(text), nil, sane(t))
	})
}

func FuzzRepomd(f *testing.F) {
	f.Add(recorded(f, "rpm/repomd.xml"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := parseRepomd(text)
		for kind, data := range all {
			if err == nil && data.kind != kind {
				t.Errorf("%q: %+v", kind, data)
			}
			_ = data.matches(text)
		}
	})
}

func FuzzPrimary(f *testing.F) {
	plain, err := io.ReadAll(open(recorded(f, "rpm/primary.xml.gz"), maxInflated))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add([]byte("<metadata>" + goodPackage + "</metadata>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = readPrimary(bytes.NewReader(text), nil, sane(t))
	})
}

func FuzzUpdateinfo(f *testing.F) {
	plain, err := io.ReadAll(open(recorded(f, "rpm/updateinfo.xml.gz"), maxInflated))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(func(t *testing.T, text []byte) {
		all, _ := readUpdateinfo(bytes.NewReader(text), nil)
		for _, a := range all {
			if a.ID != clean(a.ID) || a.Type != clean(a.Type) || len(a.Packages) == 0 {
				t.Errorf("%+v", a)
			}
		}
	})
}

func FuzzPacman(f *testing.F) {
	plain, err := io.ReadAll(open(recorded(f, "pacman/demo.db"), maxInflated))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(func(t *testing.T, db []byte) {
		_ = readPacman(bytes.NewReader(db), nil, sane(t))
	})
}

func FuzzDesc(f *testing.F) {
	f.Add([]byte("%NAME%\nx\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n%FILENAME%\nx.pkg\n\n%SHA256SUM%\n" + hexOf("a") + "\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, err := parseDesc(text); err == nil {
			_ = sane(t)(e)
		}
	})
}

func FuzzAPKIndex(f *testing.F) {
	f.Add([]byte(apkIndex))
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = readAPKIndex(text, nil, sane(t))
	})
}

// Without the key nothing is signed, whatever the bytes.
func FuzzAlpine(f *testing.F) {
	_, file := alpineKey(f, 2048)
	f.Add(alpineOf(f, nil, "", apkIndex))
	f.Fuzz(func(t *testing.T, index []byte) {
		if x, err := Alpine(map[string][]byte{"a": file}, index, Options{Now: today()}); err == nil && x.Assurance == SignedIndex {
			t.Error("it counts as signed")
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(packed(f, xzOf(4096), []byte("hello")))
	f.Add([]byte(bzipped))
	f.Add(gzipped(f, []byte("hello")))
	f.Fuzz(func(t *testing.T, file []byte) {
		const limit = 1 << 16
		if n, _ := io.Copy(io.Discard, open(file, limit)); n > limit {
			t.Errorf("%d bytes", n)
		}
	})
}
