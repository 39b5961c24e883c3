package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/report"
)

// PlatformsOptions are those of `platforms`. Name is a system or a platform; "": all.
type PlatformsOptions struct {
	Options
	Name string
}

// Platforms shows what each driver can do, and what that rests on. It connects to nothing.
func (e Env) Platforms(o PlatformsOptions) (Ending, error) {
	set, err := o.drivers()
	if err != nil {
		return Ending{}, err
	}
	all := drivers.Systems()
	if o.Name == "" {
		return Ending{}, e.print(o.Options, report.NewPlatforms(all, set.Devices.All(), false))
	}
	found := slices.DeleteFunc(slices.Clone(all), func(s platform.System) bool {
		return s.Name != o.Name && !slices.Contains(s.Platforms, fact.Platform(o.Name))
	})
	if len(found) == 0 {
		return e.ShowPlatform(o)
	}
	return Ending{}, e.print(o.Options, report.NewPlatforms(found, nil, true))
}

// ShowPlatform shows all that is typed on a device platform, in its order, and what is
// answered.
func (e Env) ShowPlatform(o PlatformsOptions) (Ending, error) {
	set, err := o.drivers()
	if err != nil {
		return Ending{}, err
	}
	p, known := set.Devices.Find(fact.Platform(o.Name))
	if !known {
		return Ending{}, fault.Usagef("see all of them: patchring platforms", "there is no platform %q", o.Name)
	}
	return Ending{}, e.print(o.Options, report.NewTyped(p))
}

// IdentifyOptions are those of `platforms identify`.
type IdentifyOptions struct {
	Options
	Platform string   // which it is, as far as somebody knows; "": to be found out
	Files    []string // what one device printed; "-" is the standard input
}

// maxRecording bounds one file of recorded output.
const maxRecording = 16 << 20

// Identify tells of which device recorded output is. What it does not tell for certain is
// left empty.
func (e Env) Identify(o IdentifyOptions) (Ending, error) {
	set, err := o.drivers()
	if err != nil {
		return Ending{}, err
	}
	if _, known := set.Devices.Find(fact.Platform(o.Platform)); o.Platform != "" && !known {
		return Ending{}, fault.Usagef("see all of them: patchring platforms", "there is no platform %q", o.Platform)
	}
	var recordings []device.Recording
	for _, name := range o.Files {
		text, err := readRecording(name)
		if err != nil {
			return Ending{}, err
		}
		recordings = append(recordings, device.Recording{Name: filepath.Base(name), Text: text})
	}
	found := set.Devices.Identify(recordings, fact.Platform(o.Platform))
	if err := e.printJSON(report.NewIdentified(found)); err != nil {
		return Ending{}, err
	}
	if found.Platform == "" {
		e.say("the platform can't be told: %s; where you know which it is, add --platform NAME", found.Why)
	}
	return Ending{}, nil
}

func readRecording(name string) ([]byte, error) {
	unread := func(err error) error {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "the recording " + name + " can't be read", Hint: "name text files with what a device has printed; - is the standard input", Err: err}
	}
	from := io.ReadCloser(os.Stdin)
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // a file that the user names
		if err != nil {
			return nil, unread(err)
		}
		from = file
	}
	defer func() { _ = from.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(from, maxRecording+1))
	if err == nil && len(text) > maxRecording {
		err = errors.New("it is larger than 16 MiB")
	}
	if err != nil {
		return nil, unread(err)
	}
	return text, nil
}

// printJSON is for what has no other form.
func (e Env) printJSON(v any) error {
	out := json.NewEncoder(e.Out)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// TestPlatforms reads a folder of definitions with the samples beside them, and tells of
// each sample whether it was read as its expect.yaml says.
func (e Env) TestPlatforms(o Options, dir string) (Ending, error) {
	o.Platforms = dir
	set, err := o.drivers()
	if err != nil {
		return Ending{}, err
	}
	outcomes, err := set.Devices.Test(os.DirFS(dir))
	if err != nil {
		return Ending{}, fault.Usagef("samples lie in DIR/PLATFORM/SAMPLE/expect.yaml, with a file for each command's output beside it", "the samples in %s can't be read: %v", dir, err)
	}
	if len(outcomes) == 0 {
		return Ending{}, fault.Usagef("samples lie in DIR/PLATFORM/SAMPLE/expect.yaml, with a file for each command's output beside it", "there is no sample in %s", dir)
	}
	wrong := 0
	for _, one := range outcomes {
		if len(one.Wrong) > 0 {
			wrong++
		}
	}
	if err := e.print(o, report.NewSamples(outcomes)); err != nil {
		return Ending{}, err
	}
	if wrong > 0 {
		return Ending{Ending: report.Ending{Code: report.ExitError, Why: fmt.Sprintf("%d of %d samples were read wrong", wrong, len(outcomes))}, Next: "correct the definition or the sample, and test again: patchring platforms test " + strings.TrimSuffix(dir, "/")}, nil
	}
	return Ending{}, nil
}
