package app

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/report"
)

// PlatformsOptions are those of `platforms`. Name is a system or a platform; "": all.
type PlatformsOptions struct {
	Options
	Name string
}

// Platforms shows what each driver can do, and what that rests on. It reads nothing.
func (e Env) Platforms(o PlatformsOptions) (Ending, error) {
	all := drivers.Systems()
	if o.Name == "" {
		return Ending{}, e.print(o.Options, report.NewPlatforms(all, false))
	}
	found := slices.DeleteFunc(slices.Clone(all), func(s platform.System) bool {
		return s.Name != o.Name && !slices.Contains(s.Platforms, fact.Platform(o.Name))
	})
	if len(found) == 0 {
		var names []string
		for _, s := range all {
			names = append(names, s.Name)
		}
		return Ending{}, fault.Usagef("use one of: "+strings.Join(names, ", "), "there is no system %q", o.Name)
	}
	return Ending{}, e.print(o.Options, report.NewPlatforms(found, true))
}
