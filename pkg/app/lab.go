package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/patchring/patchring/pkg/lab"
)

// LabOptions are those of `lab`.
type LabOptions struct {
	Fleet string // a fleet file; "": the demo's
	Dir   string
}

// Lab keeps a simulated fleet running until it is stopped.
func (e Env) Lab(ctx context.Context, o LabOptions) (Ending, error) {
	spec, err := o.spec()
	if err != nil {
		return Ending{}, err
	}
	dir := o.Dir
	if dir == "" {
		dir = "patchring-lab"
	}
	if dir, err = demoDir(dir); err != nil {
		return Ending{}, err
	}
	fleet, err := lab.Start(ctx, spec)
	if err != nil {
		return Ending{}, fmt.Errorf("start the simulated fleet: %w", err)
	}
	defer fleet.Close()
	options, err := furnish(fleet, dir)
	if err != nil {
		return Ending{}, err
	}
	shared := fmt.Sprintf("-i %s --known-hosts %s --ssh-config none", options.Inventory, options.KnownHosts)
	e.say(`%d simulated hosts are up on loopback; Ctrl-C ends them. In another terminal:
  patchring detect %s
  patchring run %s/playbooks/demo.yaml --accept-no-lock %s`, len(fleet.Names()), shared, dir, shared)
	select {
	case <-e.Stop:
	case <-ctx.Done():
	}
	return Ending{}, nil
}

func (o LabOptions) spec() (lab.Spec, error) {
	if o.Fleet == "" {
		return lab.Demo(), nil
	}
	src, err := readConfig(o.Fleet, "name a fleet file")
	if err != nil {
		return lab.Spec{}, err
	}
	spec, err := lab.Load(src)
	spec.Files = os.DirFS(filepath.Dir(o.Fleet))
	return spec, err //nolint:wrapcheck // carries line and hint
}
