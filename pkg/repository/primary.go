package repository

import (
	"fmt"
	"io"
)

// readPrimary reads a primary.xml and calls add for every wanted package.
func readPrimary(r io.Reader, want wanted, add func(Entry) error) error {
	if err := readXML(r, "metadata", &primaryParser{want: want, add: add}); err != nil {
		return fmt.Errorf("primary.xml: %w", err)
	}
	return nil
}

type primaryParser struct {
	want wanted
	add  func(Entry) error
	now  Entry
	sum  sum
	size string
	seen struct{ name, arch, version, sum, size, file bool }
}

// once refuses the second of what a package has one of.
func once(seen *bool) error {
	if *seen {
		return ErrAmbiguous
	}
	*seen = true
	return nil
}

func (p *primaryParser) start(e element) error {
	switch {
	case len(e.path) > 2: // dependencies and files, most of the document
	case e.at("package"):
		*p = primaryParser{want: p.want, add: p.add}
	case e.at("package", "version"):
		p.now.Version = evr(e.get("epoch"), e.get("ver"), e.get("rel"))
		return once(&p.seen.version)
	case e.at("package", "checksum"):
		p.sum.kind = e.get("type")
		return once(&p.seen.sum)
	case e.at("package", "size"):
		p.size = e.get("package")
		return once(&p.seen.size)
	case e.at("package", "location"):
		p.now.File = e.get("href")
		return once(&p.seen.file)
	}
	return nil
}

func (p *primaryParser) end(path []string, text string) error {
	e := element{path: path}
	switch {
	case len(path) > 2:
	case e.at("package", "name"):
		p.now.Name = text
		return once(&p.seen.name)
	case e.at("package", "arch"):
		p.now.Arch = text
		return once(&p.seen.arch)
	case e.at("package", "checksum"):
		p.sum.hexes = text
	case e.at("package") && p.want.has([]byte(p.now.Name)):
		return p.keep()
	}
	return nil
}

func (p *primaryParser) keep() (err error) {
	if p.now.Arch == "src" { // never installed, and of the same name and version
		return nil
	}
	if p.now.Size, err = number(p.size); err != nil {
		return err
	}
	if p.sum.kind == "sha256" {
		if p.now.Digest, err = sha256Digest(p.sum.hexes); err != nil {
			return err
		}
	}
	return p.add(p.now)
}

// evr is a version as updates carry it: without the epoch where that is none or 0.
func evr(epoch, version, release string) string {
	out := version
	if epoch != "" && epoch != "0" {
		out = epoch + ":" + out
	}
	if release != "" {
		out += "-" + release
	}
	return out
}
