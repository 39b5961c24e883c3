// Package device drives network gear and other hosts that are not Linux. In this
// build they are recognised and described; changing them comes later.
package device

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// The platforms of this package.
const (
	IOSXEPlatform fact.Platform = "cisco_iosxe"
	ciscoOther    fact.Platform = "cisco_other" // Cisco's SSH server, and not IOS-XE
)

const whyDetected = "network devices are only detected in this build"

// errNotCisco means that `show version` was not answered as a Cisco device does.
var errNotCisco = errors.New("this is not a Cisco device")

// Cisco is the family of devices with Cisco's own SSH server.
func Cisco() platform.Family {
	return platform.Family{
		Name: "cisco",
		Match: func(ident string) bool {
			return strings.HasPrefix(ident, "SSH-2.0-Cisco-") || strings.HasPrefix(ident, "SSH-1.99-Cisco-")
		},
		Probe: probe,
		Read:  Read,
	}
}

// probe needs no privilege: show version is allowed to everyone who may log in.
func probe(platform.Query) []remote.Command {
	return []remote.Command{{Argv: []string{"show", "version"}, Effect: remote.Reads, MaxOut: 256 << 10}}
}

// What `show version` says of IOS-XE 16 and 17, physical and virtual, as Cisco's
// command references print it.
var (
	versionForm  = regexp.MustCompile(`(?m)^Cisco IOS[ -]XE Software, Version (\S+)`)
	classicForm  = regexp.MustCompile(`(?m)^Cisco (?:IOS|Nexus|Adaptive)[^\n]*Version ([^\s,]+)`)
	uptimeForm   = regexp.MustCompile(`(?m)^(\S+) uptime is (.+?)\s*$`)
	modelForm    = regexp.MustCompile(`(?mi)^Model Number\s*: (\S+)`)
	chassisForm  = regexp.MustCompile(`(?mi)^cisco (\S+) \([^)]*\).* processor`)
	serialForm   = regexp.MustCompile(`(?m)^System Serial Number\s*: (\S+)`)
	boardForm    = regexp.MustCompile(`(?m)^Processor board ID (\S+)`)
	registerForm = regexp.MustCompile(`(?m)^Configuration register is `)
)

// Read describes the device. The error is for what is not a Cisco device at all.
func Read(results []remote.Result) (fact.Facts, error) {
	if len(results) == 0 {
		return fact.Facts{}, errNotCisco
	}
	text := strings.ReplaceAll(string(results[0].Out), "\r", "")
	f := fact.Facts{Class: fact.ClassNetwork, Vendor: "cisco", Reboot: fact.Reboot{Needed: patch.Unknown}}
	switch {
	case versionForm.MatchString(text):
		f.Platform, f.Version = IOSXEPlatform, first(text, versionForm)
	case classicForm.MatchString(text):
		f.Platform, f.Version = ciscoOther, first(text, classicForm)
	default:
		return fact.Facts{}, fmt.Errorf("%w: it answered %q", errNotCisco, remote.Clean(text+" "+string(results[0].Err), 200))
	}
	f.Hostname = first(text, uptimeForm)
	f.Model = first(text, modelForm, chassisForm)
	f.Serial = first(text, serialForm, boardForm)
	f.Problems = missing(f, text, results[0])
	return f, nil
}

// first is what the first form that matches captured, cleaned.
func first(text string, forms ...*regexp.Regexp) string {
	for _, form := range forms {
		if m := form.FindStringSubmatch(text); m != nil {
			return remote.Clean(m[1], 100)
		}
	}
	return ""
}

func missing(f fact.Facts, text string, res remote.Result) []fact.Problem {
	problems := []fact.Problem{{What: "updates", Detail: whyDetected}}
	for _, field := range []struct{ what, value string }{{"hostname", f.Hostname}, {"model", f.Model}, {"serial", f.Serial}} {
		if field.value == "" {
			problems = append(problems, fact.Problem{What: field.what, Detail: "show version does not tell it"})
		}
	}
	if res.Truncated || !registerForm.MatchString(text) {
		problems = append(problems, fact.Problem{What: "output", Detail: "the answer to show version was cut off"})
	}
	return problems
}

// IOSXE is Cisco IOS-XE: routers and Catalyst switches.
type IOSXE struct{}

var _ platform.Driver = IOSXE{}

// Read gives what Read of this package gives.
func (IOSXE) Read(results []remote.Result) (fact.Facts, error) { return Read(results) }

// Steps refuses.
func (IOSXE) Steps(f fact.Facts, _ patch.Work) ([]platform.Step, error) {
	return nil, &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, Host: f.Host.String(),
		What: "this host can't be patched: " + whyDetected,
		Hint: "leave it out of the playbook's patches; detect still shows it",
	}
}

// Capabilities of the driver.
func (IOSXE) Capabilities() platform.Capabilities {
	return platform.Capabilities{Platform: IOSXEPlatform, Class: fact.ClassNetwork, Detects: true, Why: whyDetected}
}
