package linux

import "github.com/patchring/patchring/pkg/lab/posix"

// Wrap changes what a program of the host does: it gets its name and what it honestly
// does, and gives what it does instead. It is called each time the program is looked up.
type Wrap func(name string, honest posix.Tool) posix.Tool

// wrapped is a program after everything that is wrong with the host.
func (m *Machine) wrapped(name string, tool posix.Tool) posix.Tool {
	if m.conf.Faults.Hostile {
		tool = hostile(tool)
	}
	if m.conf.Wrap != nil {
		tool = m.conf.Wrap(name, tool)
	}
	return tool
}
