package repository

import (
	"fmt"
	"strings"
	"time"
)

// Release is what an apt repository says of itself, and the files that it lists.
// Suite and Codename are worth a look before the entries are used: a signature by the
// right key stands under every release of a distribution.
type Release struct {
	Origin, Label, Suite, Codename string
	Date                           time.Time
	ValidUntil                     time.Time // zero: it does not end
	Files                          map[string]Listed
}

// Listed is one line of a Release file's SHA256 list.
type Listed struct {
	SHA256 string // hex digits
	Size   int64
}

// parseRelease reads the one paragraph of a Release file. A field or file that is
// given twice, differently, is refused.
func parseRelease(text []byte) (Release, error) {
	if len(text) > maxRelease {
		return Release{}, fmt.Errorf("release file: %w", ErrTooBig)
	}
	p := releaseParser{Release: Release{Files: map[string]Listed{}}, seen: map[string]bool{}}
	ended := false
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimRight(line, " \t\r")
		switch {
		case line == "":
			ended = len(p.seen) > 0
		case ended:
			return Release{}, fmt.Errorf("release file goes on after its paragraph: %w", ErrFormat)
		default:
			if err := p.line(line); err != nil {
				return Release{}, fmt.Errorf("release file: %w", err)
			}
		}
	}
	if len(p.Files) == 0 {
		return Release{}, fmt.Errorf("release file lists no file by SHA256: %w", ErrFormat)
	}
	return p.Release, nil
}

type releaseParser struct {
	Release
	seen  map[string]bool
	field string // of the line before, in lower case
}

func (p *releaseParser) line(line string) error {
	if line[0] == ' ' || line[0] == '\t' {
		if p.field != "sha256" {
			return nil
		}
		return p.file(strings.Fields(line))
	}
	name, value, found := strings.Cut(line, ":")
	p.field = strings.ToLower(name)
	if !found || p.seen[p.field] {
		return fmt.Errorf("line %s: %w", quote(line), ErrFormat)
	}
	p.seen[p.field] = true
	return p.set(strings.TrimSpace(value))
}

func (p *releaseParser) set(value string) (err error) {
	switch p.field {
	case "origin":
		p.Origin = clean(value)
	case "label":
		p.Label = clean(value)
	case "suite":
		p.Suite = clean(value)
	case "codename":
		p.Codename = clean(value)
	case "date":
		p.Date, err = releaseTime(value)
	case "valid-until":
		p.ValidUntil, err = releaseTime(value)
	}
	return err
}

// releaseTime reads RFC 2822 dates in UTC. A zone by another name can't be told.
func releaseTime(value string) (time.Time, error) {
	value = strings.TrimSuffix(value, " GMT")
	for _, zone := range [...]string{" UTC", " Z", " +0000"} {
		value = strings.TrimSuffix(value, zone)
	}
	t, err := time.Parse("Mon, 2 Jan 2006 15:04:05", value)
	if err != nil {
		return time.Time{}, fmt.Errorf("date %s: %w", quote(value), ErrFormat)
	}
	return t, nil
}

func (p *releaseParser) file(words []string) error {
	if len(words) != 3 {
		return fmt.Errorf("a line of the SHA256 list: %w", ErrFormat)
	}
	size, err := number(words[1])
	if err != nil {
		return err
	}
	name, ok := inside(words[2])
	if _, err := (sum{"sha256", words[0]}).newHash(); err != nil || !ok {
		return fmt.Errorf("listed file %s: %w", quote(words[2]), ErrFormat)
	}
	listed := Listed{SHA256: words[0], Size: size}
	if had, twice := p.Files[name]; twice && had != listed {
		return fmt.Errorf("listed file %s: %w", quote(name), ErrAmbiguous)
	}
	p.Files[name] = listed
	return nil
}
