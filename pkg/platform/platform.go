// Package platform is the contract between patchring and a kind of host: a Driver
// turns facts and work into Steps, pure data that one interpreter (package apply)
// performs. Nothing in here or in a driver touches a host.
package platform

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// StepID names a step within the work on one host: "preflight", "install", "reboot" …
type StepID string

// Step is look → do → look until a deadline. The interpreter looks first: what is
// done already is not done again; what runs is waited for; what failed or can't be
// told stops the host. So a step may be begun any number of times.
type Step struct {
	ID       StepID
	On       fact.HostID
	Title    string // what a person reads while it runs: "install 3 updates"
	Do       []Operation
	Look     Look
	Deadline time.Duration // from the first Do to the last Look that says running or not done
	Changes  bool          // after this step began, the host counts as touched
	Rest     bool          // work may stop for good after this step, and the host is whole
	Undo     StepID
	// Confirm: it is begun only when the host's checks have passed after the steps before:
	// what switches a device's own safety net off, or makes the new software stay.
	Confirm bool
	// Fresh: each look uses a connection of its own.
	Fresh bool
	// Once: nothing that reads can tell, in the first moments, that it has begun, and a second
	// time does harm. So a process that finds it begun by another never does it again.
	Once bool
}

// Resumed is the step as a process performs it that finds it begun by one that ended: what is
// done once only is looked at until the deadline.
func (s Step) Resumed() Step {
	if s.Once {
		s.Do = nil
	}
	return s
}

// Operation is exactly one of a command, a console exchange and a file; an exchange may
// have Serve beside it.
type Operation struct {
	Command  *remote.Command
	Exchange *remote.Exchange
	Put      *File
	// Serve: while the Exchange goes on, patchring itself serves this file over HTTP, and
	// "{url}" in Exchange.Send is replaced by its address: the device pulls it.
	Serve *File
	// Save keeps what the operation printed in the controller's store, by this name:
	// the configuration before an upgrade.
	Save    string
	MayDrop bool // the connection may end here, as asked for (reboot)
}

// File is content to be put on the host; Store names it in the controller's store.
type File struct {
	Path  string
	Store patch.Digest
	// How it is pushed to a device; empty: by remote.Files, which verifies what arrived.
	How remote.Protocol
}

// Look is how to see where a step stands: operations that only read, and a judge.
// A nil Judge never says done.
type Look struct {
	Do    []Operation
	Judge func([]remote.Result) Standing
	// Reconnects: a failure to connect while looking means "not yet", until the
	// deadline (after a reboot). Else it means unknown.
	Reconnects bool
}

// State is where a step stands. The zero value is the worst.
type State uint8

const (
	Unknown State = iota // could not tell; a person must look
	Failed               // it ended, and not as it should
	NotDone              // it has not begun
	Running              // it has begun and goes on by itself
	Done
)

var stateNames = [...]string{"unknown", "failed", "not done", "running", "done"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[0]
}

// Standing is a judge's answer, with what a person wants to know.
type Standing struct {
	State   State
	Code    fault.Code // the class of the failure, where there was one: "unreachable", "privilege" …
	Reasons []string   // why; already cleaned
	// Progress is the last line of what runs, cleaned, for the live view only.
	Progress string
	// Notes are worth keeping in the report though the step is done: conffiles left
	// beside, services on deleted libraries.
	Notes []string
}

// Driver knows one platform.
type Driver interface {
	// Read turns the results of the platform's probe (see Probe) into facts. What could not be
	// learned is a fact.Problem; an error means that this is not such a host at all.
	Read(results []remote.Result) (fact.Facts, error)
	// Steps are the changing steps for this work in order, e.g. preflight, stage,
	// install, reboot. The same facts and work always give the same steps.
	Steps(facts fact.Facts, work patch.Work) ([]Step, error)
	Capabilities() Capabilities
}

// Capabilities is what a driver can do, as declared, shown by `platforms`.
type Capabilities struct {
	Platform fact.Platform
	Class    fact.Class
	Detects  bool
	Upgrades bool
	Why      string // why it does not upgrade
	Locks    bool   // the platform can keep a lock on the host
}

// Query is what a probe may be asked beyond the standard facts.
type Query struct {
	Packages []string // names whose installed versions are wanted
	Refresh  bool     // fetch the package lists first
	// Offers asks as well which versions of Packages can be had: from the repositories, and
	// from the files that patchring keeps on the host.
	Offers bool
	// Nonce frames the probe's output, so that nothing a host's files or repositories
	// say can pass for a frame line. Whoever runs the probe draws it at random: [0-9a-f].
	Nonce string
}

// Family is a group of platforms that one probe tells apart: it says from the SSH
// identification string whether the host may belong to it, and which commands to run.
type Family struct {
	Name  string
	Match func(ident string) bool // ident: the server's "SSH-2.0-…" line
	Probe func(q Query) []remote.Command
	Read  func([]remote.Result) (fact.Facts, error)
}

// Resolver is what package managers with a resolver can do beyond Driver: say
// beforehand what an installation would really change.
type Resolver interface {
	Resolve(facts fact.Facts, want []patch.Update) remote.Command
	Resolved(facts fact.Facts, want []patch.Update, r remote.Result) (Resolution, error)
}

// Resolution is what the package manager would do.
type Resolution struct {
	Changes []patch.Update // everything that would be installed or upgraded, the wanted ones included
	Removes []string       // packages that would go
	Refused string         // the resolver says no, and why
	// Offers are the versions that can be had of what would change, the outgoing ones
	// included where they can; Files those that lie on the host.
	Offers []fact.Offer
	Files  []fact.PackageFile
	// Unsure: what can be had could not be learned, and why.
	Unsure string
}

// Stager is a package manager whose downloaded files can be looked at before they are
// installed: how they come into the controller's store.
type Stager interface {
	// Staged asks for the package files that the stage step has downloaded for this work,
	// and for those that it has kept of the outgoing versions.
	Staged(facts fact.Facts, work patch.Work) remote.Command
	// ReadStaged reads the answer. Each digest is the host's word; a file that could not be
	// read is an error.
	ReadStaged(facts fact.Facts, work patch.Work, r remote.Result) ([]fact.PackageFile, error)
}

// Indexer is a package manager whose repositories sign an index that names their files
// with digests. What lies on the host is read from there, and judged here.
type Indexer interface {
	// Indexes asks which index files of its repositories lie on the host.
	Indexes(facts fact.Facts) remote.Command
	ReadIndexes(facts fact.Facts, r remote.Result) ([]IndexFile, error)
}

// IndexFile is a file of a repository's index on the host.
type IndexFile struct {
	Repository string // the files of one repository belong together
	Kind       string // "inrelease", "release", "release.gpg", "packages", "repomd", "repomd.asc", "primary", "updateinfo", "pacman.db", "pacman.sig"
	Name       string // as the index above it names it, e.g. "main/binary-amd64/Packages"
	Path       string // on the host
	Size       int64
}

// Watcher is a platform whose hosts run no scripts: how their state is read.
type Watcher interface {
	Watch(facts fact.Facts) *health.Watch
}

// Coster is a platform whose upgrades cost more than a moment of one host.
type Coster interface {
	Cost(facts fact.Facts, work patch.Work) Cost
}

// Cost is what an upgrade of a device costs, and what it rests on.
type Cost struct {
	Outage patch.Outage
	Proof  Proof
	// Net is the device's own safety net, in words; empty: it has none.
	Net string
}

// Proof is what the knowledge of a platform rests on. The zero value is the worst.
type Proof string

const (
	ProofNone      Proof = ""
	ProofUnchecked Proof = "unchecked" // a definition of the user's own
	ProofUnproven  Proof = "unproven"
	ProofDocument  Proof = "vendor_document"
	ProofSimulated Proof = "simulated"
	ProofRecorded  Proof = "recorded"
	ProofReal      Proof = "real"
)

// Proven tells whether it may be relied upon without being asked.
func (p Proof) Proven() bool {
	switch p {
	case ProofDocument, ProofSimulated, ProofRecorded, ProofReal:
		return true
	case ProofNone, ProofUnchecked, ProofUnproven:
	}
	return false
}

// Returner is a platform whose way back depends on more than package files.
type Returner interface {
	// Return tells, before anything is changed, whether the former software could be brought
	// back after this work, and what that depends on. Unknown: perhaps.
	Return(facts fact.Facts, work patch.Work) (patch.Tri, string)
}

// Owner is who holds a host's lock: written into it, and compared.
type Owner struct {
	Rollout string    `json:"rollout"`
	Host    string    `json:"host,omitempty"` // the name that the rollout knows the machine by
	By      string    `json:"by"`             // user@machine
	Since   time.Time `json:"since"`
	// Playbook and Site are the rollout's, for whoever finds its marker. They are no part
	// of whose a lock is.
	Playbook string `json:"playbook,omitempty"`
	Site     string `json:"site,omitempty"`
}

// Locker is a platform that can keep a lock on the host itself.
type Locker interface {
	Lock(on fact.HostID, o Owner) Step
	Unlock(on fact.HostID, o Owner) Step
}

// Marker is a platform on which an open rollout can leave a word that outlasts its lock,
// so that one from elsewhere does not begin beside it. Detection reads it (fact.Marker).
type Marker interface {
	// Mark leaves o's word, in place of any other's of the same playbook and site. The
	// host's lock must be o's.
	Mark(on fact.HostID, o Owner) Step
	// Unmark removes the word of o's rollout, in one exec and without the lock; another's
	// is left alone, and then all is well too.
	Unmark(o Owner) remote.Command
}
