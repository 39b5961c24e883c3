package lab

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"path"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
)

// switchOS is the OS of a simulated switch: another word for its device file.
const switchOS = "cisco-iosxe"

// deviceFile is the device file of a host, "" for a Linux host.
func (h HostSpec) deviceFile() string {
	if h.OS == switchOS {
		return switchOS
	}
	return h.Device
}

// kind gives a device file: one that is built in, or one beside the fleet file.
func (f *Fleet) kind(name string) (*device.Kind, error) {
	if k := f.kinds[name]; k != nil {
		return k, nil
	}
	files := f.spec.Files
	if files == nil {
		files = noFiles{}
	}
	if dir := path.Dir(path.Clean(name)); dir != "." {
		inner, err := fs.Sub(files, dir)
		if err != nil {
			return nil, fmt.Errorf("the device file %s: %w", name, err)
		}
		files = inner
	}
	k, err := device.Load(files, strings.TrimSuffix(path.Base(name), ".yaml"))
	if err != nil {
		return nil, err //nolint:wrapcheck // says all
	}
	f.kinds[name] = k
	return k, nil
}

// noFiles is where nothing lies beside the fleet file.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// newDevice makes the device behind a host.
func (h *Host) newDevice() error {
	f, spec := h.fleet, h.spec
	kind, err := f.kind(spec.deviceFile())
	if err != nil {
		return err
	}
	o := device.Options{
		Name: spec.Name, User: f.spec.user(), Password: f.spec.Password, Enable: f.spec.Enable, HostKey: h.key, Values: spec.values(),
		Faults: spec.DeviceFaults, Timing: spec.timing(), Speed: f.spec.Speed, Group: f.group(spec.Cluster), Port: devicePort{h},
	}
	if key, err := f.PublicKey(); err == nil && !spec.Faults.RejectsKey {
		o.Keys = []ssh.PublicKey{key}
	}
	h.device, err = device.New(kind, o)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if !spec.Faults.WrongHostKey {
		h.told = h.device.Key()
	}
	return nil
}

// group is that of the hosts that say the same word.
func (f *Fleet) group(name string) *device.Group {
	if name == "" {
		return nil
	}
	if f.groups[name] == nil {
		f.groups[name] = device.NewGroup(time.Time{}, f.spec.Speed)
	}
	return f.groups[name]
}

// values are what a host's own keys say of the device.
func (h HostSpec) values() map[string]string {
	values := map[string]string{"hostname": h.Name}
	for name, value := range map[string]string{"version": h.Release, "model": h.Model, "serial": h.Serial} {
		if value != "" {
			values[name] = value
		}
	}
	maps.Copy(values, h.Values)
	return values
}

func (h HostSpec) timing() map[string]time.Duration {
	timing := map[string]time.Duration{}
	for name, d := range h.Timing {
		timing[name] = time.Duration(d)
	}
	return timing
}

// devicePort is the host's port, whose number stays its own while it is closed.
type devicePort struct{ h *Host }

// Listen opens the port.
func (p devicePort) Listen(ctx context.Context) (net.Listener, error) { return p.h.port.listen(ctx) }

// Device is what plays the host, nil for a Linux host.
func (h *Host) Device() *device.Device { return h.device }
