package linux

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// menuText is as grub-mkconfig of Debian 12 writes it, its hooks left out.
const menuText = `   set default="${next_entry}"
   set default="${saved_entry}"
}
menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'gnulinux-simple-u1' {
	linux	/boot/vmlinuz-6.1.0-38-amd64 root=UUID=u1 ro quiet
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-u1' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-38-amd64' --class debian $menuentry_id_option 'gnulinux-6.1.0-38-amd64-advanced-u1' {
		linux	/boot/vmlinuz-6.1.0-38-amd64 root=UUID=u1 ro quiet
	}
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-38-amd64 (recovery mode)' $menuentry_id_option 'gnulinux-6.1.0-38-amd64-recovery-u1' {
		linux	/boot/vmlinuz-6.1.0-38-amd64 root=UUID=u1 ro single
	}
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-37-amd64' --class debian $menuentry_id_option 'gnulinux-6.1.0-37-amd64-advanced-u1' {
		linux	/boot/vmlinuz-6.1.0-37-amd64 root=UUID=u1 ro quiet
	}
}
menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {
}
`

const (
	oldEntry = "gnulinux-advanced-u1>gnulinux-6.1.0-37-amd64-advanced-u1"
	newEntry = "gnulinux-advanced-u1>gnulinux-6.1.0-38-amd64-advanced-u1"
	blsText  = "entry 0123-5.14.0-503.el9.x86_64\nlinux /vmlinuz-5.14.0-503.el9.x86_64\nentry 0123-5.14.0-570.el9.x86_64\nlinux /vmlinuz-5.14.0-570.el9.x86_64\nentry 0123-0-rescue\nlinux /vmlinuz-0-rescue-0123\n"
)

func menuOf(text string) []menuEntry { return readMenu(Section{Out: text}.Lines()) }

func TestMenu(t *testing.T) {
	menu := menuOf(menuText)
	for release, want := range map[string]string{"6.1.0-38-amd64": newEntry, "6.1.0-37-amd64": oldEntry, "6.1.0-36-amd64": "", "": ""} {
		if got := pinned(menu, release); got != want {
			t.Errorf("%s: %q, want %q", release, got, want)
		}
	}
	for path, want := range map[string]string{
		"": "6.1.0-38-amd64", "0": "6.1.0-38-amd64", "1>0": "6.1.0-38-amd64", "1>2": "6.1.0-37-amd64", "1>9": "", "1": "", "7": "", "-1": "", "0>0": "",
		oldEntry: "6.1.0-37-amd64", "gnulinux-simple-u1": "6.1.0-38-amd64", "Debian GNU/Linux": "6.1.0-38-amd64", "uefi-firmware": "", "nothing": "",
		"Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-37-amd64": "6.1.0-37-amd64",
	} {
		if got := started(menu, path); got != want {
			t.Errorf("%q starts %q, want %q", path, got, want)
		}
	}
	bls := readBLS(Section{Out: blsText}.Lines(), version.RPM)
	if got := pinned(bls, "5.14.0-503.el9.x86_64"); got != "0123-5.14.0-503.el9.x86_64" {
		t.Error(got)
	}
	if got := started(bls, ""); got != "5.14.0-570.el9.x86_64" {
		t.Error(got)
	}
}

// TestEntryOf: the shell finds the entry that Go expects.
func TestEntryOf(t *testing.T) {
	script := grubScript + "menu_lines() { printf '%s' \"$menu\"; }\nbls_lines() { printf '%s' \"$bls\"; }\nmain() { menu=$1 bls=$2; entry_of \"$3\" | head -n 1; }\nmain \"$@\"\n"
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		for _, tt := range []struct{ menu, bls, release string }{
			{menuText, "", "6.1.0-38-amd64"}, {menuText, "", "6.1.0-37-amd64"}, {menuText, "", "6.1.0-36-amd64"},
			{"", blsText, "5.14.0-503.el9.x86_64"}, {"", blsText, "5.14.0-50.el9.x86_64"},
		} {
			want := pinned(append(readBLS(Section{Out: tt.bls}.Lines(), version.RPM), menuOf(tt.menu)...), tt.release)
			r := RunIn(t, shell, look(remote.Reads, 0, []string{tt.menu, tt.bls, tt.release}, script))
			if got := strings.TrimSpace(string(r.Out)); got != want {
				t.Errorf("%s: %q, want %q; %s", tt.release, got, want, r.Err)
			}
		}
	})
}

// grubSays is what the look at the boot loader prints.
func grubSays(change func(map[string]string)) remote.Result {
	s := map[string]string{
		"boot_id": "boot-1", "kernel": "6.1.0-37-amd64", "cfg": "/boot/grub/grub.cfg", "tool": "grub", "default": "GRUB_DEFAULT=saved",
		"fs": "ext2", "abstraction": "", "once": "yes", "panic": "", "env": "saved_entry=0", "menu": menuText,
		"kernels": "vmlinuz-6.1.0-37-amd64\nvmlinuz-6.1.0-38-amd64",
	}
	change(s)
	var fields strings.Builder
	for _, name := range []string{"boot_id", "kernel", "cfg", "tool", "default", "fs", "abstraction", "once", "panic"} {
		fields.WriteString(name + "=" + s[name] + "\n")
	}
	return said("loader", fields.String(), "kernels", s["kernels"], "env", s["env"], "menu", s["menu"], "bls", "")
}

func TestOneShot(t *testing.T) {
	f, w := sampleFacts(), sampleWork()
	w.OneShot = true
	w.Install = append(w.Install, patch.Update{Name: "linux-image-6.1.0-38-amd64", Arch: "amd64", To: "6.1.147-1", Dependency: true})
	armed := "saved_entry=" + oldEntry + "\nnext_entry=" + newEntry
	tests := map[string]struct {
		step   platform.StepID
		change func(map[string]string)
		want   platform.State
		say    string
	}{
		"to be armed":   {"one_shot", func(map[string]string) {}, platform.NotDone, ""},
		"armed":         {"one_shot", func(s map[string]string) { s["env"] = armed }, platform.Done, "panic="},
		"armed, panics": {"one_shot", func(s map[string]string) { s["env"], s["panic"] = armed, "restarts" }, platform.Done, "started once"},
		"half armed":    {"one_shot", func(s map[string]string) { s["env"] = "next_entry=" + newEntry }, platform.NotDone, ""},
		"no new kernel": {"one_shot", func(s map[string]string) { s["kernels"] = "vmlinuz-6.1.0-37-amd64" }, platform.Done, ""},
		"restarted":     {"one_shot", func(s map[string]string) { s["boot_id"] = "boot-2" }, platform.Done, ""},
		"not foreseen":  {"one_shot", func(s map[string]string) { s["kernels"] += "\nvmlinuz-6.1.0-39-amd64" }, platform.Done, "not foreseen"},
		"no GRUB":       {"one_shot", func(s map[string]string) { s["cfg"] = "" }, platform.Done, "no GRUB"},
		"not saved": {"one_shot", func(s map[string]string) {
			s["menu"], s["default"] = strings.Replace(menuText, "${saved_entry}", "0", 1), "GRUB_DEFAULT=0"
		}, platform.Done, "GRUB_DEFAULT=0"},
		"btrfs":           {"one_shot", func(s map[string]string) { s["fs"] = "btrfs" }, platform.Done, "btrfs"},
		"lvm":             {"one_shot", func(s map[string]string) { s["abstraction"] = "lvm" }, platform.Done, "lvm"},
		"can't tell":      {"one_shot", func(s map[string]string) { s["abstraction"] = "unknown" }, platform.Done, "no fall-back"},
		"no old entry":    {"one_shot", func(s map[string]string) { s["menu"] = strings.ReplaceAll(menuText, "37", "36") }, platform.Done, "no entry"},
		"unread":          {"one_shot", func(s map[string]string) { s["kernel"] = "" }, platform.Unknown, "kernel"},
		"to be kept":      {"new_default", func(s map[string]string) { s["kernel"], s["env"] = "6.1.0-38-amd64", "saved_entry="+oldEntry }, platform.NotDone, ""},
		"kept":            {"new_default", func(s map[string]string) { s["kernel"], s["env"] = "6.1.0-38-amd64", "saved_entry=0" }, platform.Done, "is the default"},
		"somebody else's": {"new_default", func(s map[string]string) { s["kernel"], s["env"] = "6.1.0-38-amd64", "saved_entry=uefi-firmware" }, platform.Done, "left as it is"},
		"fell back":       {"new_default", func(map[string]string) {}, platform.Done, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			Standing(t, stepOf(t, f, w, tt.step).Look.Judge([]remote.Result{grubSays(tt.change)}), tt.want, tt.say)
		})
	}
}

// TestFormerKernel: a running kernel is never taken back while it runs.
func TestFormerKernel(t *testing.T) {
	f := sampleFacts()
	f.Kernel.Running, f.Kernel.Newest, f.Kernel.Installed = "6.1.0-38-amd64", "6.1.0-38-amd64", []string{"6.1.0-38-amd64", "6.1.0-37-amd64"}
	w := patch.Work{ID: "w1", Back: true, Reboot: patch.RebootIfNeeded, Remove: []string{"linux-image-6.1.0-38-amd64"}}
	judge := func(change func(map[string]string)) platform.Standing {
		return stepOf(t, f, w, "boot_former").Look.Judge([]remote.Result{grubSays(func(s map[string]string) {
			s["kernel"] = "6.1.0-38-amd64"
			change(s)
		})})
	}
	Standing(t, judge(func(map[string]string) {}), platform.NotDone, "")
	Standing(t, judge(func(s map[string]string) { s["env"] = "saved_entry=" + oldEntry + "\nnext_entry=" + oldEntry }), platform.Done, "6.1.0-37-amd64")
	Standing(t, judge(func(s map[string]string) { s["kernel"] = "6.1.0-37-amd64" }), platform.Done, "")
	Standing(t, judge(func(s map[string]string) { s["fs"] = "zfs" }), platform.Failed, "zfs")
	Standing(t, judge(func(s map[string]string) { s["menu"] = "set default=\"${saved_entry}\"" }), platform.Failed, "no entry")
	steps, err := sample().Steps(f, w)
	if err != nil || len(steps) < 4 || steps[0].ID != "boot_former" || steps[1].ID != "reboot_former" {
		t.Fatalf("%v %+v", err, steps)
	}
	again := steps[1].Look.Judge
	Standing(t, again([]remote.Result{said("signs", "boot_id=boot-1\nkernel=6.1.0-38-amd64\nboot=readable\nrunning=running", "order", "")}), platform.NotDone, "6.1.0-37-amd64")
	Standing(t, again([]remote.Result{said("signs", "boot_id=boot-2\nkernel=6.1.0-37-amd64\nboot=readable\nrunning=running", "order", "order=w1-reboot-former\nboot_id=boot-1")}), platform.Done, "rebooted")
	Standing(t, again([]remote.Result{said("signs", "boot_id=boot-2\nkernel=6.1.0-38-amd64\nboot=readable\nrunning=running", "order", "order=w1-reboot-former\nboot_id=boot-1")}), platform.Failed, "6.1.0-37-amd64 was to run")
	// The restart at the end is another: a new boot id alone does not prove it.
	last := stepOf(t, f, w, "reboot").Look.Judge
	Standing(t, last([]remote.Result{said("signs", "boot_id=boot-2\nkernel=6.1.0-37-amd64\nboot=readable\nrunning=running", "order", "", "kernels", "vmlinuz-6.1.0-37-amd64", "reboot_flag", "/run/reboot-required")}), platform.NotDone, "reboot-required")

	w.Reboot = patch.RebootNever
	if _, err := sample().Steps(f, w); err == nil || !strings.Contains(err.Error(), "takes a reboot") {
		t.Error(err)
	}
	w.Reboot, f.Kernel.Installed = patch.RebootIfNeeded, nil
	if _, err := sample().Steps(f, w); err == nil || !strings.Contains(err.Error(), "no other is installed") {
		t.Error(err)
	}
}

// FuzzMenu: whatever stands in a menu, what is pinned is started by its path, and starts
// the kernel that was asked for.
func FuzzMenu(f *testing.F) {
	f.Add(menuText)
	f.Add("submenu 'a' {\nmenuentry 'b' --id 'c' {\nlinux /vmlinuz-1.2-x\n}\n}\n}\nmenuentry")
	f.Fuzz(func(t *testing.T, text string) {
		menu := menuOf(text)
		for _, e := range slices.Concat(menu, inside(menu)) {
			if path := pinned(menu, e.release); path != "" && started(menu, path) != e.release {
				t.Errorf("%q starts %q, not %q", path, started(menu, path), e.release)
			}
		}
		started(menu, text)
		readBLS(Section{Out: text}.Lines(), version.Dpkg)
	})
}

func inside(menu []menuEntry) []menuEntry {
	var all []menuEntry
	for _, e := range menu {
		all = append(all, e.entries...)
	}
	return all
}
