//go:build linux

package real

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// pacmans is the repository of pacman: its index names the last published version of
// each package only, and the older files stay, as on Arch's mirrors and archive.
type pacmans struct{ *tree }

func (m *pacmans) path(p publication) string {
	return filepath.Join("arch", p.Name+"-"+Arch.Version(p.Version)+"-any.pkg.tar.gz")
}

// builtAt is the build date of every package.
const builtAt = 1_793_491_200

// build packs packages, with their signatures beside them.
func (m *pacmans) build(ctx context.Context, all []publication) error {
	if err := os.MkdirAll(m.built("arch"), 0o755); err != nil {
		return err
	}
	for _, p := range all {
		packed, err := packTar(pacmanTree(p.Package))
		if err != nil {
			return err
		}
		signature, err := m.key.detached(ctx, packed, false)
		if err != nil {
			return err
		}
		path := m.built(m.path(p))
		if err := os.WriteFile(path, packed, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(path+".sig", signature, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pacmanTree is every file of a package; what pacman reads itself comes first.
func pacmanTree(p Package) []file {
	all := []file{{".PKGINFO", 0o644, pkgInfo(p)}, {".INSTALL", 0o644, installScript(p)}}
	for _, f := range p.files {
		f.path = strings.TrimPrefix(f.path, "/")
		all = append(all, f)
	}
	return all
}

func pkgInfo(p Package) string {
	var s strings.Builder
	fmt.Fprintf(&s, "pkgname = %s\npkgbase = %s\npkgver = %s\npkgdesc = made-up package of the test lab\n"+
		"builddate = %d\npackager = %s\nsize = %d\narch = any\nlicense = none\n",
		p.Name, p.Name, Arch.Version(p.Version), builtAt, keyName, installedSize(p))
	for _, d := range p.dependencies() {
		fmt.Fprintf(&s, "depend = %s\n", d.name+d.relation+d.version)
	}
	for _, path := range p.conffiles {
		fmt.Fprintf(&s, "backup = %s\n", strings.TrimPrefix(path, "/"))
	}
	return s.String()
}

func installedSize(p Package) int {
	size := 0
	for _, f := range p.files {
		size += len(f.text)
	}
	return size
}

// installScript has the scripts as functions, in subshells, so that they can exit.
func installScript(p Package) string {
	text := "post_install() (\n" + p.after() + ")\npost_upgrade() { post_install; }\n"
	if before := p.before(); before != "" {
		text += "pre_install() (\n" + before + ")\npre_upgrade() { pre_install; }\n"
	}
	return text
}

// index writes the data base of the repository, by hand: repo-add is a script around
// a tool that Debian does not have.
func (m *pacmans) index(ctx context.Context, _ string, all []publication) error {
	var names []string
	newest := map[string]publication{}
	for _, p := range all {
		if p.withdrawn {
			continue
		}
		if _, seen := newest[p.Name]; !seen {
			names = append(names, p.Name)
		}
		newest[p.Name] = p
	}
	var entries []file
	for _, name := range names {
		desc, err := m.desc(newest[name])
		if err != nil {
			return err
		}
		entries = append(entries, file{name + "-" + Arch.Version(newest[name].Version) + "/desc", 0o644, desc})
	}
	db, err := packTar(entries)
	if err != nil {
		return err
	}
	signature, err := m.key.detached(ctx, db, false)
	if err != nil {
		return err
	}
	if err := m.publish("arch/lab.db.sig", signature); err != nil {
		return err
	}
	return m.publish("arch/lab.db", db)
}

// desc is what the data base says of one package.
func (m *pacmans) desc(p publication) (string, error) {
	path := m.built(m.path(p))
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	signature, err := os.ReadFile(path + ".sig")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	var s strings.Builder
	for _, kv := range [][2]string{
		{"FILENAME", filepath.Base(path)}, {"NAME", p.Name}, {"BASE", p.Name}, {"VERSION", Arch.Version(p.Version)},
		{"DESC", "made-up package of the test lab"}, {"CSIZE", fmt.Sprint(len(content))},
		{"ISIZE", fmt.Sprint(installedSize(p.Package))}, {"SHA256SUM", hex.EncodeToString(sum[:])},
		{"PGPSIG", base64.StdEncoding.EncodeToString(signature)}, {"ARCH", "any"},
		{"BUILDDATE", fmt.Sprint(builtAt)}, {"PACKAGER", keyName},
	} {
		fmt.Fprintf(&s, "%%%s%%\n%s\n\n", kv[0], kv[1])
	}
	if depends := p.dependencies(); len(depends) > 0 {
		s.WriteString("%DEPENDS%\n")
		for _, d := range depends {
			s.WriteString(d.name + d.relation + d.version + "\n")
		}
	}
	return s.String(), nil
}

// packTar packs files, with the folders that they lie in, as root's.
func packTar(files []file) ([]byte, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	pack := tar.NewWriter(zip)
	seen := map[string]bool{}
	for _, f := range files {
		if err := packFolders(pack, filepath.Dir(f.path), seen); err != nil {
			return nil, err
		}
		head := &tar.Header{Name: f.path, Mode: int64(f.mode), Size: int64(len(f.text)), ModTime: time.Unix(builtAt, 0), Uname: "root", Gname: "root"}
		if err := pack.WriteHeader(head); err != nil {
			return nil, err
		}
		if _, err := pack.Write([]byte(f.text)); err != nil {
			return nil, err
		}
	}
	if err := pack.Close(); err != nil {
		return nil, err
	}
	err := zip.Close() // before its bytes are taken
	return packed.Bytes(), err
}

// packFolders adds a folder and those above it, once each.
func packFolders(pack *tar.Writer, dir string, seen map[string]bool) error {
	if dir == "." || seen[dir] {
		return nil
	}
	if err := packFolders(pack, filepath.Dir(dir), seen); err != nil {
		return err
	}
	seen[dir] = true
	return pack.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: time.Unix(builtAt, 0), Uname: "root", Gname: "root"})
}
