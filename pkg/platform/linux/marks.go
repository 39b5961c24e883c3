package linux

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// Mark is a file that says that a host with a shell may be an appliance, whose system
// must not be changed package by package.
type Mark struct {
	Path string
	Of   string // what has it: "an F5 BIG-IP"
	// Sure: nothing else has it, and it must not be patched as a server even where nothing
	// more is recognised of it. An ordinary server may have one of the others as well.
	Sure bool
}

// marks that the probe looks for: a test of a file each, no process.
func marks() []Mark {
	return []Mark{
		{"/usr/bin/pveversion", "Proxmox VE", false},
		{"/usr/bin/tmsh", "an F5 BIG-IP", true},
		{"/etc/cumulus", "Cumulus Linux", true},
		{"/etc/sonic", "SONiC", true},
		{"/etc/openwrt_release", "OpenWrt", true},
		{"/etc.defaults/VERSION", "Synology DSM", true},
		{"/etc/config/uLinux.conf", "a QNAP", true},
		{"/data/freenas-v1.db", "TrueNAS", true},
		{"/opt/vyatta", "VyOS or EdgeOS", true},
		{"/bootbank", "VMware ESXi", true},
		{"/usr/local/sbin/pfSense-upgrade", "pfSense", true},
		{"/usr/local/opnsense/version", "OPNsense", true},
		{"/usr/bin/ubnt-device-info", "an Ubiquiti device", true},
		{"/usr/bin/mca-cli-op", "an Ubiquiti device", true},
		{"/bin/appliancesh", "a vCenter appliance", true},
		{"/etc/cp-release", "Check Point Gaia", true},
		{"/usr/bin/FastCli", "Arista EOS", true},
		{"/opt/dell/os10", "Dell OS10", true},
		{"/nsconfig/ns.conf", "a NetScaler", true},
		{"/usr/sbin/cli", "Junos", false},
		{"/EMC", "a Dell EMC array", false},
	}
}

// marksText tells the probe where to look.
func marksText() string {
	var paths []string
	for _, m := range marks() {
		paths = append(paths, m.Path)
	}
	return "marks='" + strings.Join(paths, " ") + "'\n"
}

// Marks are those that the probe found.
func Marks(results []remote.Result) []Mark {
	if len(results) == 0 {
		return nil
	}
	named := identityField(results[0].Out, "marks")
	var found []Mark
	for _, m := range marks() {
		if slices.Contains(named, m.Path) {
			found = append(found, m)
		}
	}
	return found
}

// identityField finds one field of the report's first section, without taking the whole
// report apart once more: it may have thousands of packages.
func identityField(out []byte, name string) []string {
	nonce, rest, found := findNonce(out)
	end := []byte("@" + nonce + " status ")
	for found && len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if value, ok := strings.CutPrefix(string(line), name+"="); ok {
			return strings.Fields(value)
		}
		if bytes.HasPrefix(line, end) {
			break
		}
	}
	return nil
}

// maxAnswer bounds the lines of one command of an appliance.
const maxAnswer = 2000

// Ask makes the command that runs lines of shell that only read, each on its own: those of
// a definition, never anything that a host said.
func Ask(nonce string, lines []string, become bool) remote.Command {
	var text strings.Builder
	text.WriteString("main() {\nnonce=$1\nopen_report\n")
	for i, line := range lines {
		text.WriteString(remote.Quote([]string{"section", strconv.Itoa(i), strconv.Itoa(maxAnswer), "sh", "-c", line}) + "\n")
	}
	text.WriteString("close_report\n}\nmain \"$@\"\n")
	c := look(remote.Reads, maxReport, []string{nonce}, frameScript, text.String())
	c.Become = become
	return c
}

// Answers are what the lines of Ask printed, by line: those that succeeded, whole.
func Answers(lines []string, res remote.Result) map[string][]byte {
	answers := map[string][]byte{}
	report, _ := ReadReport(res)
	for i, line := range lines {
		if s := report.Get(strconv.Itoa(i)); s.OK() {
			answers[line] = []byte(s.Out)
		}
	}
	return answers
}
