package detect

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

// Made-up platforms: two that answer alike, a special case, two with a shell.
const (
	alpha = `
name: alpha
title: Alpha
vendor: acme
class: network
proof: unproven
match: {ssh_ident: 'Alpha|OpenSSH', probes: [{cmd: show version, all: ['^Alpha OS \d']}]}
why: nobody dares
session: {prompt: '^(?P<host>\w+)# ?$', open: [terminal length 0], enable: {cmd: enable, ask: [{re: '^Password: $', secret: enable}], prompt: '# ?$'}}
facts:
  version: [{cmd: show version, re: '^Alpha OS (\S+)'}]
  serial: [{cmd: show inventory, re: '^SN: (\S+)'}]
`
	beta = `
name: beta
title: Beta
vendor: acme
class: network
proof: unproven
match: {probes: [{cmd: show system, all: ['^Model: \w']}, {cmd: get system status, all: ['^Beta \d']}]}
why: nobody dares
session: {prompt: '^(?P<host>\w+)# ?$'}
facts: {version: [{cmd: get system status, re: '^Beta (\S+)'}]}
`
	twin = `
name: twin
title: Twin
vendor: acme
class: network
proof: unproven
match: {probes: [{cmd: show system, all: ['^Model: \w']}]}
why: nobody dares
session: {prompt: '^(?P<host>\w+)# ?$'}
facts: {version: [{cmd: show system, re: '^Model: (\S+)'}]}
`
	box = `
name: box
title: Box
vendor: acme
class: storage
proof: unproven
match: {shell: true, probes: [{cmd: cat /etc/box, all: ['^BOX=\d']}]}
why: its own page updates it
session: {prompt: '^(?P<host>\w+)# ?$'}
facts: {version: [{cmd: cat /etc/box, re: '^BOX=(\S+)'}], serial: [{cmd: cat /proc/serial, re: '^(\w+)$'}]}
`
	hyper = `
name: hyper
title: Hyper
vendor: acme
class: server
proof: unproven
match: {shell: true, probes: [{cmd: cat /etc/hyper, all: ['^hyper/\d']}]}
why: its package manager patches it
session: {prompt: '^(?P<host>\w+)# ?$'}
facts: {version: [{cmd: cat /etc/hyper, re: '^hyper/(\S+)'}]}
`
)

// library of the made-up platforms.
func library(t *testing.T) device.Library {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range map[string]string{"alpha": alpha, "beta": beta, "twin": twin, "box": box, "hyper": hyper} {
		files[name+".yaml"] = &fstest.MapFile{Data: []byte(strings.TrimLeft(text, "\n"))}
	}
	l, err := device.Library{}.With(files)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// says is a line on the console, and what comes of it.
func says(line, out string) *remotetest.Stub {
	return remotetest.OnSend(line).Ends(remote.Result{Ending: remote.Done, Out: []byte(out)})
}

// server answers the probe of servers as a recorded Debian does, with the marks of others.
func server(t *testing.T, marks ...string) *remotetest.Stub {
	t.Helper()
	r := recorded(t, "probe-debian")
	if len(marks) > 0 {
		r.Out = []byte(strings.Replace(string(r.Out), "uid=0\n", "uid=0\nmarks= "+strings.Join(marks, " ")+"\n", 1))
	}
	return remotetest.On("sh", "-s", "--", "*", "read", "...").Ends(r)
}

// shell answers an exec of the definitions' lines: those in answers succeed.
func shell(answers map[string]string) *remotetest.Stub {
	return remotetest.On("sh", "-s", "--", "*").Does(func(_ context.Context, c remote.Command) (remote.Result, error) {
		var out strings.Builder
		out.WriteString("patchring-report 1 n\n")
		for line := range strings.Lines(string(c.Stdin)) {
			number, ok := strings.CutPrefix(line, "section ")
			if !ok {
				continue
			}
			number, _, _ = strings.Cut(number, " ")
			text, status := "", 1
			for cmd, answer := range answers {
				if strings.HasSuffix(strings.TrimSpace(line), remote.Quote([]string{"sh", "-c", cmd})) {
					text, status = answer, 0
				}
			}
			fmt.Fprintf(&out, "@n begin %s\n%s\n@n status %d\n@n end %s\n", number, text, status, number)
		}
		return remote.Result{Ending: remote.Exited, Out: []byte(out.String() + "@n whole\n")}, nil
	})
}
