package imports

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

const inventoryHead = `# Which hosts there are, how they are reached, and what they belong to.
# Check it with "patchring lint"; look at the hosts with "patchring detect".
version: 1
`

const hostsComment = `# A host is defined once. Its name is its address, unless "address" says another.
# Groups are made by naming them; the playbook's rings are groups too: %s and %s.
`

const inventoryTail = `
# Settings of groups, when they need some. The order is: host, group, site, defaults.
# groups:
#   web:
#     criticality: high          # low, medium, high or critical
#     credentials:               # never the secret itself, only where it is to be had
#       become: prompt           # env:NAME, file:PATH, exec:COMMAND or prompt
`

// inventory writes inventory.yaml.
func (m *model) inventory() string {
	var b strings.Builder
	b.WriteString(inventoryHead)
	fmt.Fprintf(&b, "# Made from the %s.\n", m.origin)
	for _, n := range m.notes {
		fmt.Fprintf(&b, "# Note: %s\n", n)
	}
	m.defaults(&b)
	m.hosts(&b)
	b.WriteString(inventoryTail)
	return b.String()
}

func (m *model) defaults(b *strings.Builder) {
	b.WriteString("\n# What holds for every host, unless something nearer says otherwise.\n")
	if m.user == "" && m.become == "" && len(m.topJump()) == 0 {
		b.WriteString("# defaults:\n#   user: patch      # left out: what ~/.ssh/config says, else you\n#   become: sudo     # how to get root: none, sudo, doas or su\n")
		return
	}
	b.WriteString("defaults:\n")
	if m.user != "" {
		fmt.Fprintf(b, "  user: %s\n", document.Quote(m.user))
	}
	if m.become != "" {
		fmt.Fprintf(b, "  become: %s     # none, sudo, doas or su\n", document.Quote(m.become))
	}
	if chain := m.topJump(); len(chain) > 0 {
		fmt.Fprintf(b, "  jump: %s      # every host is reached through it\n", flow(chain))
	}
}

// topJump is the chain of a site without a name: it stands in the defaults.
func (m *model) topJump() []string {
	if len(m.sites) == 1 && m.sites[0].name == "" {
		return m.sites[0].jump
	}
	return nil
}

// hosts writes one nameless site as `hosts:`, and others under `sites:`.
func (m *model) hosts(b *strings.Builder) {
	b.WriteString("\n")
	fmt.Fprintf(b, hostsComment, m.freeName("test"), m.freeName("production"))
	if len(m.sites) == 1 && m.sites[0].name == "" {
		writeSite(b, m.sites[0], "")
		return
	}
	b.WriteString("# A site is a place or a client; a rollout never spans sites.\nsites:\n")
	for _, s := range m.sites {
		fmt.Fprintf(b, "  %s:\n", document.Quote(s.name))
		writeSite(b, s, "    ")
	}
}

func writeSite(b *strings.Builder, s site, indent string) {
	if s.timezone != "" {
		fmt.Fprintf(b, "%stimezone: %s\n", indent, document.Quote(s.timezone))
	}
	if s.owner != "" {
		fmt.Fprintf(b, "%sowner: %s\n", indent, document.Quote(s.owner))
	}
	if len(s.jump) > 0 && s.name != "" {
		fmt.Fprintf(b, "%sjump: %s      # every host is reached through it\n", indent, flow(s.jump))
	}
	fmt.Fprintf(b, "%shosts:\n", indent)
	for _, h := range s.hosts {
		fmt.Fprintf(b, "%s  %s: {%s}\n", indent, document.Quote(h.name), strings.Join(h.settings(), ", "))
	}
}

// settings lists what is said of a host, as `key: value`.
func (h host) settings() []string {
	var list []string
	text := func(key, value string) {
		if value != "" {
			list = append(list, key+": "+document.Quote(value))
		}
	}
	text("address", h.address)
	if h.port > 0 {
		list = append(list, fmt.Sprintf("port: %d", h.port))
	}
	text("user", h.user)
	text("become", h.become)
	if len(h.jump) > 0 || h.direct {
		list = append(list, "jump: "+flow(h.jump))
	}
	if h.key != "" {
		list = append(list, "credentials: {key: "+document.Quote(h.key)+"}")
	}
	if len(h.groups) > 0 {
		list = append(list, "groups: "+flow(h.groups))
	}
	return list
}

// flow writes a list as [a, b].
func flow(items []string) string {
	quoted := make([]string, 0, len(items))
	for _, item := range items {
		quoted = append(quoted, document.Quote(item))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

const playbookHead = `# Which patches, through which rings, with which checks.
# "patchring plan" with this file shows what would change, and changes nothing;
# "patchring run" does it, ring by ring, and can be repeated at any time.
version: 1
name: monthly

patches:
  - hosts: "*"
    packages:
      kind: security                 # security, bugfix or all

# The test ring comes first. The next ring gets exactly the versions that it proved,
# and only if its hosts were healthy afterwards.
rings:
  - name: test
    hosts: %s
`

const productionRing = `  - name: production
    hosts: %s
    batches: [1, 10%%, 50%%]           # hosts started together; the last repeats
    max_in_flight: 20                # the most hosts worked on at once
    failure_limit: 0                 # the first failure stops the ring
`

const laterRing = `# With more hosts, add the next ring:
#  - name: production
#    hosts: production
#    batches: [1, 10%, 50%]          # hosts started together; the last repeats
`

const playbookTail = `
reboot: if_needed                    # if_needed, always or never
on_failure: halt                     # start no further host

# How patchring knows that a host is well. default_diff compares the state before and
# after: new failed units, lost listeners, mounts, default route, time sync.
checks:
  - {hosts: "*", default_diff: true}
# - {hosts: web, service: nginx}
# - {hosts: web, http: {url: "https://{{ .address }}/healthz", status: 200}, within: 2m}
`

// firstPlaybook writes a playbook with the rings that the inventory has.
func firstPlaybook(r rings) string {
	text := fmt.Sprintf(playbookHead, document.Quote(r.test))
	if r.single {
		return text + laterRing + playbookTail
	}
	return text + fmt.Sprintf(productionRing, document.Quote(r.production)) + playbookTail
}
