package linux

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

// Manager is one package manager, as data and pure functions: how it names and orders
// things, the shell functions that the generic scripts call, and how what they print is
// read. Everything else is the same for all of them, and in this package.
//
// NAME being the manager's, Script defines functions that only look. Each prints to
// stdout; what it prints to stderr and its exit status are kept beside it.
//
//	NAME_probe PACKAGES…      the sections of the probe (with section, mark); $mode is refresh or read
//	NAME_versions NAMES…      "name<tab>arch<tab>version<tab>status" of what is installed
//	NAME_available NAMES…     "name<tab>arch<tab>version<tab>repository" of what can be had, older versions too
//	NAME_locks                "file pid command" of who holds its lock
//	NAME_health               sections of its own for Health, in the preflight
//	NAME_simulate WORDS…      what NAME_install would do with the same words; changes nothing
//	NAME_staged WORDS…        "name<tab>arch<tab>version<tab>path" of the package files that NAME_stage has downloaded for these words
//	NAME_files FOLDER         the same of all package files below a folder
//	NAME_signs                sections of its own that tell whether a reboot is due (may be empty)
//
// Acts defines the functions of its detached jobs, which change the host. They print what
// they do, never ask, and their exit status is the job's; see jobs.sh for what they are given.
//
//	NAME_stage WORDS…         downloads what NAME_install needs for these words, and installs nothing
//	NAME_keep FOLDER WORDS…   downloads the outgoing versions (words of Spec) into FOLDER, as far as they can be had
//	NAME_install WORDS…       installs exactly these, as staged
//	NAME_repair               puts a cut transaction right
type Manager struct {
	Name string // "apt", "dnf"; also of its shell functions
	// Is tells which platform a host is that it rules; "": none that can be driven.
	Is func(fact.OS) fact.Platform
	// Refused is why hosts with it are only looked at: then it may have nothing but a name,
	// and what reads its probe.
	Refused string
	// Drives are the platforms that Is may give, in the order in which they are shown.
	Drives []fact.Platform

	Order func(a, b string) int
	// Kernels orders releases as uname -r gives them.
	Kernels func(a, b string) int
	// Spec is the word for exactly this version; one from a file is its path.
	Spec func(u patch.Update, native string) string
	// Key: two names of one package have one key.
	Key       func(name, arch, native string) string
	NeedsArch bool   // an update without an architecture can't be named
	Ending    string // of its package files: ".deb"

	// Shared are texts with functions that several managers' scripts call; they stand before
	// Script, each once.
	Shared []string
	Script string
	Acts   string
	Env    []string // of its jobs, NAME=value
	// Aside are systemd units that begin transactions of their own: timers, and services
	// that a stop ends cleanly. Those that are active stand aside while a job installs or
	// repairs, and come back afterwards whatever becomes of it. What is at work is not
	// stopped: its timer stands aside, and the job waits for the lock. PackageKit, which
	// anybody may set to work at any moment, never is.
	Aside []string
	// Frozen: / or /usr of its hosts is mounted read-only, as it should be, and its
	// transactions change a copy.
	Frozen bool

	// Reads are what its probe reads and an admin may close to others than root.
	Reads []Read

	// Read fills in what the sections of its probe tell.
	Read func(*Reader)
	// Health judges the sections of NAME_health: what is wrong, in words; nil: nothing ever is.
	Health func(Report) []string
	// Simulated reads NAME_simulate.
	Simulated func(fact.Facts, patch.Work, Section) Transaction
	// Words are those of NAME_stage, NAME_install and NAME_simulate; nil: a word of Spec for
	// each update.
	Words func(fact.Facts, patch.Work) []string
	// Due adds what the sections of NAME_signs tell of a reboot; nil: nothing.
	Due func(Report) Due
	// Shows is what it declares for the table of `platforms`, beside what is Shared.
	Shows []platform.Shown
}

// Due is what one more sign tells of a reboot.
type Due struct {
	Reasons []string // why one is due
	Unclear string   // why it can't be told, where no other sign says yes
	// Unbooted is what was to run and does not: after a reboot, that has failed.
	Unbooted string
}

// Managers are all that this build knows.
type Managers []Manager

// named finds a manager.
func (all Managers) named(name string) (Manager, bool) {
	for _, m := range all {
		if m.Name == name {
			return m, true
		}
	}
	return Manager{}, false
}

// words are what is typed for this work.
func (m Manager) words(f fact.Facts, w patch.Work) []string {
	if m.Words != nil {
		return m.Words(f, w)
	}
	return m.specs(f, w)
}
