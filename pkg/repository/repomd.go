package repository

import (
	"bytes"
	"fmt"
)

const (
	maxRepomd = 4 << 20
	maxData   = 256
)

// repomdData is one file that a repomd.xml lists.
type repomdData struct {
	kind     string // "primary", "updateinfo", ...
	packed   sum    // of the file as it is
	unpacked sum    // of its content; empty where it is not compressed
}

// parseRepomd reads what repomd.xml lists, by type.
func parseRepomd(text []byte) (map[string]repomdData, error) {
	if len(text) > maxRepomd {
		return nil, fmt.Errorf("repomd.xml: %w", ErrTooBig)
	}
	p := &repomdParser{all: map[string]repomdData{}}
	if err := readXML(bytes.NewReader(text), "repomd", p); err != nil {
		return nil, fmt.Errorf("repomd.xml: %w", err)
	}
	return p.all, nil
}

type repomdParser struct {
	all map[string]repomdData
	now repomdData
}

func (p *repomdParser) start(e element) error {
	switch {
	case e.at("data"):
		p.now = repomdData{kind: e.get("type")}
	case e.at("data", "checksum"):
		return open1(&p.now.packed, e)
	case e.at("data", "open-checksum"):
		return open1(&p.now.unpacked, e)
	}
	return nil
}

// open1 begins a checksum; a second one would leave open which counts.
func open1(s *sum, e element) error {
	if s.kind != "" {
		return fmt.Errorf("checksum: %w", ErrAmbiguous)
	}
	s.kind = e.get("type")
	return nil
}

func (p *repomdParser) end(path []string, text string) error {
	e := element{path: path}
	switch {
	case e.at("data", "checksum"):
		p.now.packed.hexes = text
	case e.at("data", "open-checksum"):
		p.now.unpacked.hexes = text
	case e.at("data"):
		return p.keep()
	}
	return nil
}

func (p *repomdParser) keep() error {
	if _, twice := p.all[p.now.kind]; twice || len(p.all) >= maxData {
		return fmt.Errorf("data %s: %w", quote(p.now.kind), ErrAmbiguous)
	}
	p.all[p.now.kind] = p.now
	return nil
}

// matches holds a file against its entry: as it is, or by its content. Where one of
// the checksums is weak it does not count, and the other one may still do.
func (d repomdData) matches(file []byte) error {
	same, err := d.packed.of(bytes.NewReader(file))
	if same || d.unpacked.kind == "" {
		return mismatch(same, err)
	}
	same, openErr := d.unpacked.of(open(file, maxInflated))
	if openErr != nil && err == nil { // it is no file of this kind at all
		return fmt.Errorf("%w (%w)", ErrMismatch, openErr)
	}
	return mismatch(same, openErr)
}

func mismatch(same bool, err error) error {
	if err == nil && !same {
		return ErrMismatch
	}
	return err
}
