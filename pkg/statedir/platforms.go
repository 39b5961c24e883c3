package statedir

import (
	"context"
	"fmt"
	"maps"

	"github.com/patchring/patchring/pkg/fact"
)

// What devices have turned out to be is kept, so that the next look begins with the right
// question: a device that nobody knows takes up to three, and each is an error in its log.
// It is a hint and nothing more; every look proves it again.

const platformsName = "platforms.json"

type platformsFile struct {
	Version int               `json:"version"`
	Hosts   map[string]string `json:"hosts"` // "site/name" → platform
}

// Platforms are those that devices had the last time. A file that is missing or damaged
// knows of none.
func (d *Dir) Platforms() map[fact.HostID]fact.Platform {
	known := map[fact.HostID]fact.Platform{}
	raw, found, err := readFile(d.root, platformsName)
	if err != nil || !found {
		return known
	}
	file, err := strict[platformsFile](raw)
	if err != nil {
		return known
	}
	for name, platform := range file.Hosts {
		var id fact.HostID
		if id.UnmarshalText([]byte(name)) == nil {
			known[id] = fact.Platform(platform)
		}
	}
	return known
}

// LearnPlatforms keeps what looks have found; "" forgets a host.
func (d *Dir) LearnPlatforms(ctx context.Context, found map[fact.HostID]fact.Platform) error {
	lock, err := await(ctx, d.root, lockName, d.what())
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }() // it ends with the file
	known := d.Platforms()
	before := maps.Clone(known)
	maps.Copy(known, found)
	maps.DeleteFunc(known, func(_ fact.HostID, p fact.Platform) bool { return p == "" })
	if maps.Equal(before, known) {
		return nil
	}
	file := platformsFile{Version: fileVersion, Hosts: map[string]string{}}
	for id, platform := range known {
		file.Hosts[id.String()] = string(platform)
	}
	raw, err := encode(file)
	if err == nil {
		err = replace(d.root, platformsName, raw)
	}
	if err != nil {
		return fmt.Errorf("keep the platforms of devices: %w", err)
	}
	return nil
}
