package device

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/patchring/patchring/pkg/document"
)

//go:embed devices
var embedded embed.FS

var kindName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// Kind is a device file that is ready to be played. It is shared by all devices of
// the kind.
type Kind struct {
	Name     string
	file     File
	commands []compiled
	images   []imageName
	base     *template.Template
	parsed   map[string]*template.Template // by the text, conditions after a "?"
	patterns map[string]*regexp.Regexp     // of accept and the like, that hold no template
}

// Names lists the device files that are built in.
func Names() []string {
	entries, err := fs.ReadDir(embedded, "devices")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Embedded gives a device file that is built in.
func Embedded(name string) (*Kind, error) {
	files, err := fs.Sub(embedded, "devices")
	if err != nil {
		return nil, fmt.Errorf("the built-in device files: %w", err)
	}
	return Load(files, name)
}

// Load reads NAME.yaml and NAME/*.txt. Files that it is like are looked for beside
// it, then among those that are built in.
func Load(files fs.FS, name string) (*Kind, error) {
	file, err := read(files, name, nil)
	if err != nil {
		return nil, err
	}
	return compile(name, file)
}

// Parse reads one device file that needs no other; for tests and fuzzing.
func Parse(name string, src []byte) (*Kind, error) {
	var file File
	if err := document.Decode(name+".yaml", src, &file).Err(); err != nil {
		return nil, fmt.Errorf("the device file: %w", err)
	}
	if file.Like != "" {
		return nil, fmt.Errorf("the device file %s is like %s, which needs Load", name, file.Like)
	}
	return compile(name, file)
}

func read(files fs.FS, name string, above []string) (File, error) {
	if !kindName.MatchString(name) || slices.Contains(above, name) || len(above) > 4 {
		return File{}, fmt.Errorf("no such device file: %q", name)
	}
	src, err := fs.ReadFile(files, name+".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		if inner, sub := fs.Sub(embedded, "devices"); sub == nil {
			files = inner
			src, err = fs.ReadFile(files, name+".yaml")
		}
	}
	if err != nil {
		return File{}, fmt.Errorf("read the device file %s: %w", name, err)
	}
	var file File
	if err := document.Decode(name+".yaml", src, &file).Err(); err != nil {
		return File{}, fmt.Errorf("the device file: %w", err)
	}
	if err := addTexts(files, name, &file); err != nil || file.Like == "" {
		return file, err
	}
	parent, err := read(files, file.Like, append(above, name))
	if err != nil {
		return File{}, err
	}
	return join(file, parent), nil
}

// addTexts takes NAME/*.txt over as texts.
func addTexts(files fs.FS, name string, file *File) error {
	found, err := fs.Glob(files, name+"/*.txt")
	if err != nil {
		return fmt.Errorf("the texts of %s: %w", name, err)
	}
	if file.Texts == nil {
		file.Texts = map[string]string{}
	}
	for _, one := range found {
		text, err := fs.ReadFile(files, one)
		if err != nil {
			return fmt.Errorf("the texts of %s: %w", name, err)
		}
		file.Texts[path.Base(one)] = string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	}
	return nil
}

// join puts a file over the one that it is like.
func join(own, parent File) File {
	own.Texts = over(own.Texts, parent.Texts)
	own.Routines = over(own.Routines, parent.Routines)
	own.Timing = over(own.Timing, parent.Timing)
	own.Truth.Values = over(own.Truth.Values, parent.Truth.Values)
	own.Commands = slices.Concat(own.Commands, parent.Commands)
	own.Faults = slices.Concat(own.Faults, parent.Faults)
	own.Images = slices.Concat(own.Images, parent.Images)
	if own.Truth.Members == nil {
		own.Truth.Members = parent.Truth.Members
	}
	if own.Truth.Paths == nil {
		own.Truth.Paths = parent.Truth.Paths
	}
	fill(&own.Truth.Config, parent.Truth.Config)
	fill(&own.Truth.Startup, parent.Truth.Startup)
	fill(&own.Truth.Clock, parent.Truth.Clock)
	fill(&own.Truth.Up, parent.Truth.Up)
	own.SSH = joinSSH(own.SSH, parent.SSH)
	own.Console = joinConsole(own.Console, parent.Console)
	return own
}

func over[V any](own, parent map[string]V) map[string]V {
	all := maps.Clone(parent)
	if all == nil {
		return own
	}
	maps.Copy(all, own)
	return all
}

// fill gives a value that was left out the other file's.
func fill[V comparable](to *V, from V) {
	var none V
	if *to == none {
		*to = from
	}
}

func joinSSH(own, parent *SSH) *SSH {
	if own == nil || parent == nil {
		fill(&own, parent)
		return own
	}
	all := *own
	fill(&all.Ident, parent.Ident)
	fill(&all.Banner, parent.Banner)
	fill(&all.Exec, parent.Exec)
	fill(&all.SCP, parent.SCP)
	fill(&all.SFTP, parent.SFTP)
	fill(&all.HostKey, parent.HostKey)
	fill(&all.Idle, parent.Idle)
	fill(&all.VTYs, parent.VTYs)
	fill(&all.VTYRefuse, parent.VTYRefuse)
	for _, pair := range [][2]*[]string{
		{&all.Kex, &parent.Kex}, {&all.Ciphers, &parent.Ciphers}, {&all.MACs, &parent.MACs}, {&all.Auth, &parent.Auth},
	} {
		if *pair[0] == nil {
			*pair[0] = *pair[1]
		}
	}
	return &all
}

func joinConsole(own, parent *Console) *Console {
	if own == nil || parent == nil {
		fill(&own, parent)
		return own
	}
	all := *own
	all.Modes = over(all.Modes, parent.Modes)
	fill(&all.Login, parent.Login)
	fill(&all.Pager, parent.Pager)
	fill(&all.Shorten, parent.Shorten)
	fill(&all.Pipes, parent.Pipes)
	for _, pair := range [][2]*string{
		{&all.MOTD, &parent.MOTD}, {&all.Start, &parent.Start}, {&all.Echo, &parent.Echo}, {&all.Erase, &parent.Erase},
		{&all.NewLine, &parent.NewLine}, {&all.Wrap, &parent.Wrap}, {&all.Unknown, &parent.Unknown}, {&all.NotReady, &parent.NotReady},
		{&all.Cancel, &parent.Cancel}, {&all.Canceled, &parent.Canceled}, {&all.Log, &parent.Log},
	} {
		fill(pair[0], *pair[1])
	}
	return &all
}
