package lab

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// wrap makes the programs of a host lie.
func (h HostSpec) wrap(name string, honest posix.Tool) posix.Tool {
	texts := h.texts()
	switch {
	case name == "uname" && len(texts) > 0:
		return naming(honest, texts)
	case name == "cat" && h.is("facts_steer"):
		return release(honest)
	case name == "cat" && h.is("huge_line"):
		return rewriting(honest, func(out []byte) []byte { return append(bytes.Repeat([]byte("A"), 8<<20), out...) })
	case name == "apt-get" && h.is("lying_versions"):
		return instead(honest, installs, func(p *posix.Proc) int { p.Printf("Setting up everything ...\n"); return 0 })
	case name == "apt-get" && len(texts) > 0:
		return instead(honest, installs, func(p *posix.Proc) int { return fails(p, texts) })
	case strings.HasPrefix(name, "apt-") && h.is("version_injection"):
		return rewriting(honest, injected)
	case name == "apt-get" && h.is("huge_package_list"):
		return rewriting(honest, swollen)
	}
	return honest
}

// rewriting runs the program to its end, and then changes what it printed.
func rewriting(honest posix.Tool, change func([]byte) []byte) posix.Tool {
	return func(ctx context.Context, p *posix.Proc, args []string) int {
		var out bytes.Buffer
		child := p.Child()
		child.Out = &out
		code := honest(ctx, child, args)
		_, _ = p.Out.Write(change(out.Bytes()))
		return code
	}
}

// instead does something else where the arguments match.
func instead(honest posix.Tool, when func(args []string) bool, do func(*posix.Proc) int) posix.Tool {
	return func(ctx context.Context, p *posix.Proc, args []string) int {
		if when(args) {
			return do(p)
		}
		return honest(ctx, p, args)
	}
}

// installs: it would change packages, and is no simulation.
func installs(args []string) bool {
	return slices.Contains(args, "install") && !slices.Contains(args, "-s") && !slices.Contains(args, "--print-uris") && !slices.Contains(args, "--download-only") && !slices.Contains(args, "-d")
}

// naming: "uname -n" is what a host calls itself. The release of its kernel stays: it is
// the name of files.
func naming(honest posix.Tool, texts []string) posix.Tool {
	return func(ctx context.Context, p *posix.Proc, args []string) int {
		if len(args) == 2 && (args[1] == "-n" || args[1] == "-v") {
			p.Printf("%s\n", strings.Join(texts, " "))
			return 0
		}
		return honest(ctx, p, args)
	}
}

// fails is a package manager that has much to say.
func fails(p *posix.Proc, texts []string) int {
	for _, text := range texts {
		fmt.Fprintf(p.Out, "%s\n", text)
		fmt.Fprintf(p.Err, "E: %s\n", text)
	}
	return 100
}

// release adds settings to what the system calls itself.
func release(honest posix.Tool) posix.Tool {
	return func(ctx context.Context, p *posix.Proc, args []string) int {
		code := honest(ctx, p, args)
		if slices.Contains(args, "/etc/os-release") && code == 0 {
			p.Printf("PRETTY_NAME=\"%s\"\nADDRESS=127.0.0.1\nPORT=1\nUSER=root\nPROXYCOMMAND=\"touch %s\"\naddress=127.0.0.1\nuser=root\njump=root@127.0.0.1:1\n",
				strings.Join(hostileTexts("facts_steer"), " "), Canary)
		}
		return code
	}
}

// injected puts options, commands and paths where names and versions were.
func injected(out []byte) []byte {
	for old, evil := range map[string]string{
		"deb12u2": "deb12u2;touch${IFS}" + Canary + "$(touch${IFS}" + Canary + ")",
	} {
		out = bytes.ReplaceAll(out, []byte(old), []byte(evil))
	}
	if !bytes.Contains(out, []byte("Inst ")) {
		return out
	}
	for _, name := range []string{"--option=Dpkg::Pre-Invoke=touch " + Canary, "-oX", "../../../../tmp/" + Canary, "a;touch " + Canary, "a\x00b", "a\u202eb", strings.Repeat("a", 70000)} {
		out = append(out, "Inst "+name+" [1.0] (1.0/../../../"+Canary+" evil:1/x [amd64])\n"...)
	}
	return out
}

// swollen adds updates until nobody could want more.
func swollen(out []byte) []byte {
	if !bytes.Contains(out, []byte("Inst ")) {
		return out
	}
	long := strings.Repeat("9", 1000)
	for i := range 20_000 {
		out = fmt.Appendf(out, "Inst pkg%d [1] (1.%s evil:1/x [amd64])\n", i, long)
	}
	return out
}
