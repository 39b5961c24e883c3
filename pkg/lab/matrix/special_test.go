package matrix

import (
	"bytes"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

type hooks = map[platform.StepID]func(*play)

// specials are the plays that are easily forgotten.
func (f family) specials() []cell {
	all := []cell{
		{name: "image_of_another_kind", image: func([]byte) []byte { return device.MakeImage("other", f.to, 20_000) }, want: saidNotDone},
		{name: "another_digest", work: func(w *patch.Work) {
			w.Image.SHA512, w.Image.MD5, w.Image.SHA1 = flip(w.Image.SHA512), flip(w.Image.MD5), flip(w.Image.SHA1)
		}, never: f.verified()},
		{name: "another_model", work: func(w *patch.Work) { w.Image.Models = []string{"XYZ*"} }, want: saidNotDone, never: f.once},
		{name: "downgrade", work: func(w *patch.Work) { w.Install[0].To, w.Image.Version = "1.2.3", "1.2.3" }, want: saidNotDone, never: f.once},
		{name: "unset_clock", before: func(p *play) { p.device.Set("", "clock", "unset") }},
		{name: "no_line_free", faults: []device.Fault{{At: "prompt", Do: "vtys_full"}}, want: saidNotDone},
		{name: "hostile_at_login", faults: []device.Fault{{At: "prompt", Do: "hostile"}}},
		{name: "power_cut_in_the_soak", on: hooks{"verify": func(p *play) { p.strike("prompt", "power_cut") }}, lies: shy},
		{name: "aaa_down_at_verify", on: hooks{"verify": func(p *play) {
			p.device.Strike(device.Fault{At: "login", Do: "aaa_down", For: device.Duration(time.Minute)})
		}}, lies: "logins are refused, and no reload is under way: nobody tries for long"},
	}
	if f.platform == "cisco_iosxe" {
		all = append(all, f.ciscos()...)
	}
	if f.platform == "arista_eos" { // nothing on the device tells that it is no image before Aboot tries it
		all[0].want, all[0].lies = "", "it waits at its boot loader for somebody at the console"
	}
	for i := range all {
		all[i].family, all[i].moment = f, "special"
	}
	return all
}

// inSync is what a person does once both units of a BIG-IP run the same: nobody else knows
// whose configuration is right.
func inSync(p *play) {
	for _, d := range []*device.Device{p.device, p.mate.device} {
		d.Set("", "pending", "")
	}
}

// shy is why a device may not be told in the minutes after it lost its power unasked.
const shy = "just after a restart that nobody asked for it refuses logins, or does not know itself yet, and nobody tries for long"

// verified are the effects that need the right digest, where the device can compute one.
func (f family) verified() []string {
	if f.platform == "fortinet_fortios" || f.platform == "netapp_ontap" || f.platform == "junos" { // Junos computes SHA-256, which is right
		return nil
	}
	return f.once
}

func flip(hex string) string {
	return string(bytes.Map(func(r rune) rune {
		if r == '0' {
			return '1'
		}
		return '0'
	}, []byte(hex)))
}

func (p *play) strike(at, do string) { p.device.Strike(device.Fault{At: at, Do: do}) }

// ciscos are those of IOS-XE.
func (f family) ciscos() []cell {
	flash := "flash:"
	if f.kind == "cisco-iosxe-bundle" {
		flash = "bootflash:"
	}
	leave := func(content []byte) func(*play) {
		return func(p *play) {
			if err := p.device.Leave(flash+f.image, content); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	whole := device.MakeImage(f.sort, "17.12.04", 20_000)
	all := []cell{
		{name: "half_a_file_is_there", before: leave(whole[:9000]), want: saidDone},
		{name: "file_is_there", before: leave(whole), want: saidDone},
		{name: "other_image_of_the_name", before: leave(device.MakeImage(f.sort, "17.12.05", 20_000)), want: saidNotDone, never: []string{"add", "boot_system", "reload"}},
		{name: "booted_a_moment_ago", before: func(p *play) { p.types("enable\r", enableSecret+"\r", "reload\r", "\r"); pass(20 * time.Minute) }, want: saidDone},
		{name: "unsaved_before", before: func(p *play) { p.types(changing()...) }},
		{name: "person_configures_meanwhile", on: hooks{"install": func(p *play) { p.types(changing()...) }}},
		{name: "version_moved_without_a_boot", on: hooks{"install": func(p *play) {
			for _, m := range p.device.Truth().Members {
				p.device.Set(m.ID, "version", "17.12.04")
			}
		}}, lies: "it shows the new software, and has not restarted"},
		{name: "member_swapped_meanwhile", on: hooks{"install": func(p *play) {
			members := p.device.Truth().Members
			p.device.Set(members[len(members)-1].ID, "serial", "FOC99999999")
		}}, lies: "a member is another device: a person decides"},
		{name: "member_swapped_in_the_soak", on: hooks{"verify": func(p *play) {
			members := p.device.Truth().Members
			p.device.Set(members[len(members)-1].ID, "serial", "FOC99999999")
		}}, lies: "a member is another device: a person decides"},
		{name: "flash_full_before", faults: []device.Fault{{At: "prompt", Do: "flash_full"}}, want: saidNotDone, never: []string{"add", "boot_system"}},
	}
	if len(f.once) == 0 || f.kind == "cisco-iosxe-bundle" || f.kind == "cisco-iosxe-bundle-stack" {
		return all
	}
	all = append(all,
		cell{name: "added_before", before: func(p *play) { p.onAll("i", "17.12.04") }, want: saidNotDone, never: []string{"activated"}},
		cell{name: "added_on_one_before", before: func(p *play) { p.device.Set("1", "i", "17.12.04") }},
		cell{name: "commit_2s_before_the_timer", on: hooks{"commit": func(p *play) { pass(p.device.Truth().Armed["abort"] - 2*time.Second) }}},
		cell{name: "commit_40s_before_the_timer", on: hooks{"commit": func(p *play) { pass(p.device.Truth().Armed["abort"] - 40*time.Second) }}},
		cell{name: "commit_2s_after_the_timer", on: hooks{"commit": func(p *play) { pass(p.device.Truth().Armed["abort"] + 2*time.Second) }}},
		cell{name: "commit_1h_after_the_timer", on: hooks{"commit": func(p *play) { pass(p.device.Truth().Armed["abort"] + time.Hour) }}},
	)
	if f.kind == "cisco-iosxe-stack" {
		all = append(all, cell{name: "flash_full_on_member_2", faults: []device.Fault{{At: "add_middle", Do: "flash_full", Member: "2"}}, want: saidNotDone})
	}
	return all
}

// changing is what a person types who changes the configuration and leaves it unsaved.
func changing() []string {
	return []string{"enable\r", enableSecret + "\r", "configure terminal\r", "banner somebody\r", "end\r"}
}

func (p *play) onAll(name, value string) {
	for _, m := range p.device.Truth().Members {
		p.device.Set(m.ID, name, value)
	}
}
