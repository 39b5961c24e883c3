package device

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // devices show it
	"crypto/sha1" //nolint:gosec // devices show it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Volume is a file system of a member.
type Volume struct {
	Size  int64
	Free  int64
	Files map[string]*Stored
}

// Stored is a file. Its content is not kept beyond a small one's, its hashes are.
type Stored struct {
	Name    string
	Size    int64
	Time    time.Time
	Content []byte // of a file of up to 64 KiB that was received
	sums    map[string]string
	image   Image
}

// Image is what a file holds, if it holds an image.
type Image struct {
	Kind, Version string
	Damaged       bool // it began as an image and is not whole
}

type imageName struct {
	ImageForm
	re *regexp.Regexp
}

const (
	imageMark   = "patchring-lab-image"
	maxContent  = 64 << 10
	imageFiller = "0123456789abcdef"
)

// MakeImage makes the content of an image that simulated devices know by its content,
// whatever the file is called: of this version, for devices whose value `kind` is
// this one. The last bytes are a hash of all before.
func MakeImage(kind, version string, size int) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s %s\n", imageMark, kind, version)
	for out.Len() < size-sha256.Size*2 {
		out.WriteString(imageFiller[:min(len(imageFiller), size-sha256.Size*2-out.Len())])
	}
	sum := sha256.Sum256(out.Bytes())
	out.WriteString(hex.EncodeToString(sum[:]))
	return out.Bytes()
}

// intake takes a file in, hashes it on the way and looks what it is.
type intake struct {
	sums map[string]hash.Hash
	head bytes.Buffer
	size int64
	tail []byte    // what may be an image's own hash
	body hash.Hash // of all before the tail
	bad  bool      // a fault changes what arrives
}

func newIntake() *intake {
	return &intake{
		sums: map[string]hash.Hash{"md5": md5.New(), "sha1": sha1.New(), "sha256": sha256.New(), "sha512": sha512.New()}, //nolint:gosec // devices show them
		body: sha256.New(),
	}
}

// Write never fails.
func (in *intake) Write(data []byte) (int, error) {
	n := len(data)
	if in.bad && n > 0 {
		data = bytes.Clone(data)
		data[n-1] ^= 0xff
		in.bad = false
	}
	for _, h := range in.sums {
		_, _ = h.Write(data) // never fails
	}
	in.size += int64(n)
	if in.head.Len() <= maxContent {
		in.head.Write(data)
	}
	in.tail = append(in.tail, data...)
	if most := sha256.Size * 2; len(in.tail) > most {
		_, _ = in.body.Write(in.tail[:len(in.tail)-most]) // never fails
		in.tail = append(in.tail[:0], in.tail[len(in.tail)-most:]...)
	}
	return n, nil
}

func (in *intake) stored(name string, now time.Time) *Stored {
	s := &Stored{Name: name, Size: in.size, Time: now, sums: map[string]string{}}
	for algorithm, h := range in.sums {
		s.sums[algorithm] = hex.EncodeToString(h.Sum(nil))
	}
	if in.size <= maxContent {
		s.Content = bytes.Clone(in.head.Bytes())
	}
	line, _, _ := strings.Cut(string(in.head.Bytes()[:min(in.head.Len(), 256)]), "\n")
	if words := strings.Fields(line); len(words) == 3 && words[0] == imageMark {
		s.image = Image{Kind: words[1], Version: words[2], Damaged: string(in.tail) != hex.EncodeToString(in.body.Sum(nil))}
	}
	return s
}

// seed is a file that was always there: its hashes follow from its name and size.
func seed(name string, size int64, at time.Time) *Stored {
	in := newIntake()
	_, _ = io.WriteString(in, name+strconv.FormatInt(size, 10)) // never fails
	s := in.stored(name, at)
	s.Size, s.Content = size, nil
	return s
}

var (
	errNoSpace  = errors.New("no space left")
	errNoPath   = errors.New("no such path")
	errNotFound = errors.New("no such file")
)

// put stores a file in the place of one of the same name.
func (v *Volume) put(name string, s *Stored) error {
	room := v.Free
	if old := v.Files[name]; old != nil {
		room += old.Size
	}
	if s.Size > room {
		return errNoSpace
	}
	v.Free = room - s.Size
	v.Files[name] = s
	return nil
}

func (v *Volume) remove(name string) {
	if old := v.Files[name]; old != nil {
		v.Free += old.Size
		delete(v.Files, name)
	}
}

// place is where a path leads.
type place struct {
	member *Member
	volume *Volume
	name   string // within the volume
}

// resolve finds a path's place; m is the member of paths that name none.
func (d *Device) resolve(m *Member, text string) (place, error) {
	for _, form := range d.kind.file.Truth.Paths {
		if !strings.Contains(form.Prefix, "{id}") {
			if rest, ok := strings.CutPrefix(text, form.Prefix); ok {
				return d.placeIn(m, form, rest)
			}
			continue
		}
		for _, other := range d.members {
			if rest, ok := strings.CutPrefix(text, strings.ReplaceAll(form.Prefix, "{id}", other.ID)); ok {
				return d.placeIn(other, form, rest)
			}
		}
	}
	return place{}, errNoPath
}

func (d *Device) placeIn(m *Member, form PathForm, rest string) (place, error) {
	v := m.Volumes[form.Volume]
	if v == nil {
		return place{}, errNoPath
	}
	name := strings.TrimPrefix(path.Clean("/"+form.Fold+rest), "/")
	if strings.HasSuffix(rest, "/") && name != "" {
		name += "/"
	}
	return place{m, v, name}, nil
}

func (d *Device) find(m *Member, text string) *Stored {
	at, err := d.resolve(m, text)
	if err != nil {
		return nil
	}
	return at.volume.Files[at.name]
}

// imageOf tells what a file is, by its content or else by its name.
func (d *Device) imageOf(s *Stored) Image {
	if s == nil {
		return Image{}
	}
	if s.image.Version != "" {
		return s.image
	}
	for _, form := range d.kind.images {
		if found := form.re.FindStringSubmatchIndex(path.Base(s.Name)); found != nil {
			version := form.re.ExpandString(nil, form.Version, path.Base(s.Name), found)
			return Image{Kind: form.Kind, Version: string(version)}
		}
	}
	return Image{}
}
