package lab

import (
	"bufio"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// switchOS is the OS of a simulated switch.
const switchOS = "cisco-iosxe"

const invalidInput = "% Invalid input detected at '^' marker.\n"

// answer is what a switch says to one line. The text is made up in the form of
// IOS-XE 17.
func (h *Host) answer(line string) string {
	words := strings.Join(strings.Fields(line), " ")
	switch words {
	case "show version", "show ver", "sh ver":
		return h.showVersion()
	case "terminal length 0", "terminal width 0", "terminal width 511", "":
		return ""
	case "show clock":
		return time.Now().UTC().Format("*15:04:05.000 UTC Mon Jan 2 2006") + "\n"
	}
	return fmt.Sprintf("%s\n%s^\n%s", line, strings.Repeat(" ", len(h.spec.Name)+1), invalidInput)
}

func (h *Host) showVersion() string {
	release, model := h.spec.Release, h.spec.Model
	if release == "" {
		release = "17.09.04a"
	}
	if model == "" {
		model = "C9300-48P"
	}
	sum := fnv.New32a()
	_, _ = io.WriteString(sum, h.spec.Name) // never fails
	serial := fmt.Sprintf("FOC25%02dX%03X", sum.Sum32()%53, sum.Sum32()>>20)
	return fmt.Sprintf(`Cisco IOS XE Software, Version %[1]s
Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version %[2]s, RELEASE SOFTWARE (fc3)
Technical Support: simulated by patchring lab

ROM: IOS-XE ROMMON
BOOTLDR: System Bootstrap, Version 17.9.1r, RELEASE SOFTWARE (P)

%[3]s uptime is 12 weeks, 4 days, 7 hours, 31 minutes
Uptime for this control processor is 12 weeks, 4 days, 7 hours, 33 minutes
System returned to ROM by Reload Command
System image file is "flash:packages.conf"
Last reload reason: Reload Command

Technology Package License Information:

Technology-package                                     Technology-package
Current                        Type                       Next reboot
network-advantage   	Smart License                 	 network-advantage

cisco %[4]s (X86) processor with 1331521K/6147K bytes of memory.
Processor board ID %[5]s
2048K bytes of non-volatile configuration memory.
8388608K bytes of physical memory.
11264000K bytes of Flash at flash:.

Base Ethernet MAC Address          : 00:00:5e:00:53:%02[6]x
Model Number                       : %[4]s
System Serial Number               : %[5]s

Switch Ports Model              SW Version        SW Image              Mode
------ ----- -----              ----------        ----------            ----
*    1 65    %-18[4]s %-17[1]s CAT9K_IOSXE           INSTALL

Configuration register is 0x102

`, release, shortRelease(release), h.spec.Name, model, serial, sum.Sum32()&0xff)
}

// shortRelease: one line of the same output writes 17.09.04a as 17.9.4a.
func shortRelease(release string) string {
	parts := strings.Split(release, ".")
	for i, part := range parts {
		if trimmed := strings.TrimLeft(part, "0"); trimmed != "" {
			parts[i] = trimmed
		}
	}
	return strings.Join(parts, ".")
}

// show is a command on an exec channel of a switch.
func (s *session) show(line string) {
	h := s.c.h
	h.count(&h.commands)
	if !posix.Pause(s.c.ctx, time.Duration(h.spec.Faults.Slow)) {
		return
	}
	_, _ = io.WriteString(&output{s.c, s.channel}, crlf("\n"+h.answer(line)))
	s.exit(0)
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// console is a switch's interactive session: a prompt, and an answer for each line.
func (s *session) console() {
	h := s.c.h
	out := &output{s.c, s.channel}
	prompt := "\n" + h.spec.Name + "#"
	_, _ = io.WriteString(out, crlf(prompt))
	stop := context.AfterFunc(s.c.ctx, func() { _ = s.channel.Close() })
	defer stop()
	lines := bufio.NewScanner(s.channel)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		h.count(&h.commands)
		if line == "exit" || line == "quit" {
			break
		}
		_, _ = io.WriteString(out, crlf(line+"\n"+h.answer(line)+prompt))
	}
	s.exit(0)
}
