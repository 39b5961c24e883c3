//go:build linux

package real

import "io/fs"

// Option changes how a host is made.
type Option func(*spec)

// spec is what a host is made from.
type spec struct {
	system   OS
	gear     Gear
	packages []string
	files    []file
	late     []func(*Host) []file // files that say the host's own name or address
	password string               // of sudo; empty: sudo asks for none
	noSudo   bool
	diskMB   int
	inner    bool
	bastion  bool
}

// file is written into the host before its first boot.
type file struct {
	path string
	mode fs.FileMode
	text string
}

// System has the host run another system than Debian. The first host of a system
// on a machine waits for its files to be made, which takes 10-20 s.
func System(system OS) Option {
	return func(s *spec) { s.system = system }
}

// Install has version 1.0 of made-up packages on the host. Without it a host has
// Plain and Daemon.
func Install(packages ...string) Option {
	return func(s *spec) { s.packages = packages }
}

// File writes a file into the host before its first boot.
func File(path string, mode fs.FileMode, text string) Option {
	return func(s *spec) { s.files = append(s.files, file{path, mode, text}) }
}

// SudoPassword makes sudo ask for this password. Without it sudo asks for none.
func SudoPassword(password string) Option {
	return func(s *spec) { s.password = password }
}

// NoSudo leaves the login user out of sudoers.
func NoSudo() Option {
	return func(s *spec) { s.noSudo = true }
}

// DiskMB bounds what the host can write, in MiB, over all of its root file system.
func DiskMB(size int) Option {
	return func(s *spec) { s.diskMB = size }
}

// Bastion gives the host a second leg, in the inner network.
func Bastion() Option {
	return func(s *spec) { s.bastion = true }
}

// Inner puts the host into the inner network, which programs under test can reach
// only through a bastion.
func Inner() Option {
	return func(s *spec) { s.inner = true }
}
