package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/device"
)

// session is a recorded login: what the device showed first, and its answers.
type session struct {
	name    string // system__MODEL_VERSION__simulation.yaml
	prompt  string
	answers map[string]string
}

// systems are the platforms that recorded sessions are of, by the first word of their
// names. What is not here is of none that is known.
func systems() map[string][]fact.Platform {
	return map[string][]fact.Platform{
		"aoscx": {"aruba_aoscx"}, "aosw": {"arubaos"}, "arubainstant": {"arubaos"}, "asa": {"cisco_asa"}, "cumulus": {"cumulus"}, "efos": {"netapp_efos"}, "eos": {"arista_eos"},
		"firelinuxos": {"cisco_ftd"}, "fortigate": {"fortinet_fortios"}, "fortios": {"fortinet_fmg"}, "fsos": {"fs_fsos"}, "garderos": {"garderos"},
		"h3c": {"hpe_comware"}, "ios": {"cisco_iosxe", "cisco_ios"}, "ironware": {"ruckus_fastiron"}, "junos": {"junos"}, "mlnxos": {"mellanox_onyx"},
		"nxos": {"cisco_nxos"}, "opnsense": {"opnsense"}, "perle": {"perle_iolan"}, "pfsense": {"pfsense"}, "routeros": {"mikrotik_routeros"}, //nolint:misspell // the product's name
		"saos10": {"ciena_saos10"}, "smartbyte": {"smartbyte"}, "tnsr": {"tnsr"}, "tplink": {"tplink_deltastream"}, "vsololt": {"vsol_olt"}, "vyos": {"vyos"},
	}
}

func sessions(root string) ([]session, error) {
	files, err := filepath.Glob(filepath.Join(root, "*simulation.yaml"))
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	var list []session
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("sessions: %w", err)
		}
		list = append(list, readSession(filepath.Base(name), src))
	}
	return list, nil
}

// readSession reads what has the form that is looked at; the rest of the file is theirs.
// Commands are a mapping, or a list of mappings where an order counts.
func readSession(name string, src []byte) session {
	var whole struct {
		Prompt   string               `yaml:"init_prompt" flags:"raw"`
		Commands document.Map[string] `yaml:"commands" flags:"raw"`
	}
	var listed struct {
		Commands []document.Map[string] `yaml:"commands" flags:"raw"`
	}
	document.Decode(name, src, &whole)
	document.Decode(name, src, &listed)
	s := session{name: name, prompt: unescaped(whole.Prompt), answers: map[string]string{}}
	last := ""
	for _, step := range append(listed.Commands, whole.Commands) {
		for _, e := range step.Entries {
			cmd, _, _ := strings.Cut(strings.TrimSpace(unescaped(e.Key)), " |")
			if cmd == "" { // a key pressed for the pager
				cmd = last
			}
			s.answers[cmd] += unescaped(e.Value)
			last = cmd
		}
	}
	return s
}

func unescaped(text string) string {
	return strings.NewReplacer(`\x20`, " ", `\n`, "\n", `\r`, "\r", `\e`, "\x1b", `\x1b`, "\x1b", `\b`, "\b", `\x08`, "\b", `\a`, "").Replace(text)
}

// live plays the identification and the reading of each session.
func live(l device.Library, all []session, out io.Writer) bool {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	right := true
	fmt.Fprintln(w, "session\tplatform\tversion\tmodel\tserial\tverdict")
	for _, s := range all {
		system, _, _ := strings.Cut(s.name, "__")
		v := s.identify(l)
		version, model, serial := "", "", ""
		if p, ok := l.Find(v.Platform); ok {
			version, model, serial = s.read(p)
		}
		verdict := "right"
		switch want := systems()[system]; {
		case v.Platform == "" && len(want) == 0:
			verdict = "right: none of ours"
		case v.Platform == "":
			verdict = "unknown: " + v.Why
		case !slices.Contains(want, v.Platform):
			verdict, right = "WRONG", false
		case version != "" && !strings.Contains(flat(s.name), flat(version)) && !strings.HasPrefix(flat(version), flat(s.name[strings.LastIndex(strings.TrimSuffix(s.name, "__simulation.yaml"), "_")+1:])):
			verdict = "look at the version"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%.80s\n", strings.TrimSuffix(s.name, "__simulation.yaml"), cmp.Or(string(v.Platform), "-"), version, model, serial, verdict)
	}
	w.Flush()
	return right
}

func flat(text string) string {
	return strings.ToLower(strings.NewReplacer(".", "", "-", "", "(", "", ")", "", "_", "").Replace(text))
}

func (s session) identify(l device.Library) device.Verdict {
	lines := strings.Split(strings.TrimRight(s.prompt, "\n"), "\n")
	last := len(lines) - 1
	c := l.Begin(device.Sight{Banner: strings.Join(lines[:last], "\n"), Prompt: lines[last]})
	for cmd, more := c.Next(); more; cmd, more = c.Next() {
		c.Observe(cmd, []byte(s.answers[cmd]))
	}
	return c.Verdict()
}

func (s session) read(p *device.Platform) (version, model, serial string) {
	outputs := map[string][]byte{}
	for _, cmd := range p.Commands() {
		if answer, ok := s.answers[cmd]; ok {
			outputs[cmd] = []byte(answer)
		}
	}
	f, err := p.Read(outputs, when)
	if err != nil {
		return err.Error(), "", ""
	}
	return f.Version, f.Model, f.Serial
}
