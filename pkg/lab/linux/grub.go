package linux

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// grub is the boot loader's environment block.
type grub struct {
	saved, next string
	hasSaved    bool
}

// start takes the word for the next boot, which counts once, else the default.
func (g *grub) start(kernels []string, newest string) string {
	word := g.next
	if g.next = ""; word == "" {
		word = g.saved
	}
	for _, k := range kernels {
		if strings.HasSuffix(word, grubID(k)) {
			return k
		}
	}
	return newest
}

const grubRoot = "3e6be9de-8139-11f1-9e3a-0242ac120002"

func grubID(release string) string { return "gnulinux-" + release + "-advanced-" + grubRoot }

// kernels are what is installed, newest first.
func (m *Machine) kernels() []string {
	var list []string
	for _, p := range m.installed {
		if p.Kernel != "" && !slices.Contains(list, p.Kernel) {
			list = append(list, p.Kernel)
		}
	}
	slices.SortFunc(list, func(a, b string) int { return compare(b, a) })
	return list
}

// grubFolder is where Debian, or Red Hat, has it.
func (m *Machine) grubFolder() string {
	if m.dist.apt {
		return "/boot/grub"
	}
	return "/boot/grub2"
}

// installGrub lays out what scripts read of it.
func (m *Machine) installGrub() {
	if !m.conf.Grub {
		return
	}
	folder := m.grubFolder()
	m.must(m.FS.MkdirAll(memfs.Root, folder, 0o755))
	m.must(m.FS.MkdirAll(memfs.Root, "/etc/default", 0o755))
	m.write("/etc/default/grub", "GRUB_DEFAULT=saved\nGRUB_TIMEOUT=5\n")
	m.must(m.FS.Generate(folder+"/grub.cfg", func() []byte {
		m.mu.Lock()
		defer m.mu.Unlock()
		return []byte(grubConfig(m.kernels()))
	}))
}

// grubConfig is a menu as grub-mkconfig writes it.
func grubConfig(kernels []string) string {
	var text strings.Builder
	text.WriteString("if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n   set next_entry=\n   save_env next_entry\nelse\n   set default=\"${saved_entry}\"\nfi\nfunction load_video {\n\tinsmod all_video\n}\n")
	entry := func(indent, title, id, release, mode string) {
		fmt.Fprintf(&text, "%smenuentry '%s' --class gnu-linux $menuentry_id_option '%s' {\n%s\tlinux\t/boot/vmlinuz-%s root=UUID=%s ro %s\n%s}\n", indent, title, id, indent, release, grubRoot, mode, indent)
	}
	if len(kernels) > 0 {
		entry("", "GNU/Linux", "gnulinux-simple-"+grubRoot, kernels[0], "quiet")
	}
	text.WriteString("submenu 'Advanced options for GNU/Linux' $menuentry_id_option 'gnulinux-advanced-" + grubRoot + "' {\n")
	for _, k := range kernels {
		entry("\t", "GNU/Linux, with Linux "+k, grubID(k), k, "quiet")
		entry("\t", "GNU/Linux, with Linux "+k+" (recovery mode)", "gnulinux-"+k+"-recovery-"+grubRoot, k, "single")
	}
	text.WriteString("}\n")
	return text.String()
}

// grubTools are under the names that the distribution gives them.
func (m *Machine) grubTools() map[string]posix.Tool {
	if !m.conf.Grub {
		return nil
	}
	prefix := "grub"
	if !m.dist.apt {
		prefix = "grub2"
	}
	return map[string]posix.Tool{
		prefix + "-reboot": m.grubSet, prefix + "-set-default": m.grubSet, prefix + "-editenv": m.grubEnv, prefix + "-probe": grubProbe,
	}
}

func (m *Machine) grubSet(_ context.Context, _ *posix.Proc, args []string) int {
	if len(args) != 2 {
		return posix.Usage
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if strings.HasSuffix(args[0], "-reboot") {
		m.grub.next = args[1]
	} else {
		m.grub.saved, m.grub.hasSaved = args[1], true
	}
	return 0
}

func (m *Machine) grubEnv(_ context.Context, p *posix.Proc, args []string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch strings.Join(args[1:], " ") {
	case "list":
		if m.grub.hasSaved {
			p.Printf("saved_entry=%s\n", m.grub.saved)
		}
		if m.grub.next != "" {
			p.Printf("next_entry=%s\n", m.grub.next)
		}
		return 0
	case "- unset saved_entry":
		m.grub.saved, m.grub.hasSaved = "", false
		return 0
	}
	p.Lacks("grub-editenv %s is not simulated", strings.Join(args[1:], " "))
	return posix.Usage
}

func grubProbe(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "", "target=")
	if !ok || len(o.Args) != 1 {
		return posix.Usage
	}
	if o.Value("target") == "fs" {
		p.Printf("ext2\n")
	} else {
		p.Printf("\n")
	}
	return 0
}
