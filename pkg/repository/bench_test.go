package repository

import (
	"fmt"
	"strings"
	"testing"
)

// bigPackages is as large as a distribution: 60 000 stanzas of 800 bytes.
func bigPackages() string {
	var b strings.Builder
	long := strings.Repeat("libsomething (>= 1.2.3), ", 20)
	for i := range 60_000 {
		fmt.Fprintf(&b, "Package: package-%d\nSource: package\nVersion: 1.%d-1\nInstalled-Size: 100\nMaintainer: A Team <team@test.example>\nArchitecture: amd64\n"+
			"Depends: %s\nDescription: one of many\nHomepage: https://test.example\nSection: libs\nPriority: optional\n"+
			"Filename: pool/main/p/package/package-%d_1.%d-1_amd64.deb\nSize: %d\nMD5sum: %032x\nSHA256: %064x\n\n", i, i, long, i, i, i+1, i, i)
	}
	return b.String()
}

// BenchmarkApt verifies a signature, digests 48 MB and looks for 40 packages in it.
func BenchmarkApt(b *testing.B) {
	key := newKey(b, "K")
	text := bigPackages()
	plain := signedApt{key}.source(b, text)
	packed := AptSource{InRelease: plain.InRelease, Files: map[string][]byte{"p/Packages.gz": gzipped(b, []byte(text))}}
	keys := ring(b, key)
	opt := Options{Now: today()}
	for i := range 40 {
		opt.Names = append(opt.Names, fmt.Sprintf("package-%d", i*1499))
	}
	for _, run := range []struct {
		name string
		src  AptSource
		opt  Options
		want int
	}{{"plain", plain, opt, 40}, {"gzip", packed, opt, 40}, {"everything", plain, Options{Now: today()}, 60_000}} {
		b.Run(run.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				x, err := Apt(keys, run.src, run.opt)
				if err != nil || x.Assurance != SignedIndex || len(x.Entries()) != run.want {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPrimary looks for one package among 20 000 in 30 MB of xml.
func BenchmarkPrimary(b *testing.B) {
	var text strings.Builder
	text.WriteString("<metadata>")
	for i := range 20_000 {
		entries := strings.Repeat(`<rpm:entry name="libsomething.so.1()(64bit)"/>`, 20)
		text.WriteString(strings.Replace(strings.Replace(goodPackage, ">x<", fmt.Sprintf(">x%d<", i), 1), "</package>", "<format>"+entries+"</format></package>", 1))
	}
	text.WriteString("</metadata>")
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := readPrimary(strings.NewReader(text.String()), wanted{"x7": {}}, func(Entry) error { n++; return nil })
		if err != nil || n != 1 {
			b.Fatal(n, err)
		}
	}
}
