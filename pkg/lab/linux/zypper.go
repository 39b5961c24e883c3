package linux

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// zypperRun is one call of zypper 1.14.
type zypperRun struct {
	m *Machine
	p *posix.Proc
	o posix.Options
	// files are the packages that were named by their files, by name and version.
	files map[string]bool
}

func (m *Machine) zypperTools() map[string]posix.Tool {
	return map[string]posix.Tool{"zypper": m.zypper}
}

// Exit codes of zypper.
const (
	zypperProblem  = 4
	zypperRoot     = 5
	zypperLocked   = 7
	zypperCommit   = 8
	zypperReboot   = 102
	zypperNotFound = 104
	zypperScript   = 107
)

func (m *Machine) zypper(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "nqst:D", "xmlout", "no-refresh", "non-interactive|n", "quiet|q", "all", "dry-run|D", "details", "download-only", "oldpackage",
		"match-exact", "type=|t")
	if !ok || len(o.Args) == 0 {
		return posix.Usage
	}
	r := &zypperRun{m: m, p: p, o: o, files: map[string]bool{}}
	command, words := o.Args[0], o.Args[1:]
	if command == "needs-rebooting" {
		return r.needsRebooting()
	}
	code := r.command(ctx, command, words)
	if o.Has("xmlout") && code != posix.Usage {
		p.Printf("</stream>\n")
	}
	return code
}

func (r *zypperRun) command(ctx context.Context, command string, words []string) int {
	if r.o.Has("xmlout") {
		r.p.Printf("<?xml version='1.0'?>\n<stream>\n")
	}
	if r.m.held() && r.p.UID == memfs.Root {
		return r.fail(zypperLocked, "System management is locked by the application with pid %d (%s).\nClose this application before trying again.", holderPID, r.m.holder)
	}
	switch command {
	case "refresh":
		return r.refresh(ctx)
	case "repos":
		return r.repos()
	case "locks":
		return r.locks()
	case "list-updates":
		return r.listUpdates()
	case "list-patches":
		return r.listPatches()
	case "info":
		return r.info(words)
	case "search":
		return r.search(words)
	case "install":
		return r.install(ctx, words)
	case "download":
		return r.download(words)
	}
	r.p.Lacks("zypper %s is not simulated", command)
	return posix.Usage
}

// fail says what is wrong, in the form of the output.
func (r *zypperRun) fail(code int, format string, args ...any) int {
	text := fmt.Sprintf(format, args...)
	if r.o.Has("xmlout") {
		r.p.Printf("<message type=\"error\">%s</message>\n", escaped(text))
	} else {
		fmt.Fprintln(r.p.Err, text)
	}
	return code
}

// info prints a message for people.
func (r *zypperRun) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch {
	case r.o.Has("xmlout"):
		r.p.Printf("<message type=\"info\">%s</message>\n", escaped(text))
	case !r.o.Has("q"):
		r.p.Printf("%s\n", text)
	}
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// alias is the repository of a package, as zypper knows it.
func (r *zypperRun) alias(p Package) string { return r.m.dist.suites[p.Suite].origin }

func (r *zypperRun) refresh(ctx context.Context) int {
	switch {
	case r.p.UID != memfs.Root:
		return r.fail(zypperRoot, "Root privileges are required for refreshing system repositories.")
	case r.m.diskFull():
		return r.fail(zypperProblem, "Error building the cache: No space left on device\nSome of the repositories have not been refreshed because of an error.")
	case !posix.Pause(ctx, r.m.conf.Pace/4):
		return zypperProblem
	}
	r.m.mu.Lock()
	r.m.lists = slices.Clone(r.m.remote)
	r.m.mu.Unlock()
	r.m.zypperLists()
	for _, s := range r.m.zypperRepos() {
		r.say("Repository '%s' is up to date.", s.label)
	}
	r.say("All repositories have been refreshed.")
	return 0
}

func (r *zypperRun) repos() int {
	r.p.Printf("<repo-list>\n")
	for _, s := range r.m.zypperRepos() {
		r.p.Printf("<repo alias=\"%s\" name=\"%s\" type=\"rpm-md\" priority=\"99\" enabled=\"1\" autorefresh=\"1\" gpgcheck=\"1\">\n<url>%s/%s</url>\n</repo>\n",
			s.origin, s.label, r.m.dist.server, s.label)
	}
	r.p.Printf("</repo-list>\n")
	return 0
}

func (r *zypperRun) locks() int {
	r.p.Printf("<locks size=\"%d\">", len(r.m.conf.Held))
	for i, name := range r.m.conf.Held {
		r.p.Printf("<lock number=\"%d\"><name>%s</name><type>package</type></lock>\n", i+1, name)
	}
	r.p.Printf("</locks>")
	return 0
}

// needsRebooting goes by a list of packages of its own, which the lab's are not on: only
// a kernel counts.
func (r *zypperRun) needsRebooting() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if r.m.newestKernel() != r.m.boot.kernel {
		r.p.Printf("Core libraries or services have been updated.\nReboot is required to ensure that your system benefits from these updates.\n")
		return zypperReboot
	}
	r.p.Printf("No core libraries or services have been updated.\nReboot is probably not necessary.\n")
	return 0
}
