// Package lab is a simulated fleet: SSH and SFTP servers in this process, on
// loopback, one port a host. A simulated Linux host really runs the scripts that
// patchring sends, in a shell of its own over a state that survives its reboots; a
// device without a shell is played from a device file (package device). Faults come
// from a YAML file. It serves the demo, the tests and people who rehearse.
//
// What scripts may use of the shell and which tools a host has is in README.md,
// in Check and in Tools; a test keeps the three equal. Nothing here is safe
// to expose: the host keys are made on the spot, and so is the key that logs in.
package lab

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// Fleet is running hosts. Close ends them all.
type Fleet struct {
	spec   Spec
	hosts  map[string]*Host
	names  []string // in the order of the file
	kinds  map[string]*device.Kind
	groups map[string]*device.Group
	client ed25519.PrivateKey
	cancel context.CancelFunc
	jobs   sync.WaitGroup // everything that runs
}

// Start brings a fleet up and returns once every host that can be reached listens.
// It ends with ctx or with Close.
func Start(ctx context.Context, spec Spec) (*Fleet, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the user's key: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &Fleet{
		spec: spec, hosts: map[string]*Host{}, client: key, cancel: cancel,
		kinds: map[string]*device.Kind{}, groups: map[string]*device.Group{},
	}
	for _, hs := range spec.Hosts {
		h, err := f.newHost(hs)
		if err == nil {
			f.hosts[hs.Name] = h
			f.names = append(f.names, hs.Name)
			err = h.powerOn(ctx)
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("start the simulated host %s: %w", hs.Name, err)
		}
	}
	return f, nil
}

// Close cuts every connection, ends every program and waits until they are gone.
func (f *Fleet) Close() {
	f.cancel()
	for _, name := range f.names {
		f.hosts[name].powerOff()
	}
	f.jobs.Wait()
	for _, name := range f.names {
		f.hosts[name].port.release()
	}
}

// Host gives a host by its name, nil if there is none.
func (f *Fleet) Host(name string) *Host { return f.hosts[name] }

// Names lists the hosts in the order of the fleet file.
func (f *Fleet) Names() []string { return slices.Clone(f.names) }

// PublicKey is the key that logs in everywhere.
func (f *Fleet) PublicKey() (ssh.PublicKey, error) {
	signer, err := ssh.NewSignerFromKey(f.client)
	if err != nil {
		return nil, fmt.Errorf("the user's key: %w", err)
	}
	return signer.PublicKey(), nil
}

// Signer logs in everywhere.
func (f *Fleet) Signer() (ssh.Signer, error) {
	signer, err := ssh.NewSignerFromKey(f.client)
	if err != nil {
		return nil, fmt.Errorf("the user's key: %w", err)
	}
	return signer, nil
}

// Check says what in a script is outside of the shell subset of simulated hosts,
// with line numbers; nothing if all of it is inside.
func Check(name string, src []byte) []string { return posix.Check(name, src) }

// Tools lists every program that a simulated host with this OS has.
func Tools(os string) []string { return linux.Tools(os) }
