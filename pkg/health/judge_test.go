package health

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

const ssTable = `32768	60999
Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
udp   UNCONN 0      0          127.0.0.53%lo:53        0.0.0.0:*
udp   UNCONN 0      0      10.0.0.5%eth0:68        0.0.0.0:*
udp   UNCONN 0      0            0.0.0.0:49152     0.0.0.0:*
tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
tcp   LISTEN 0      511        127.0.0.1:8080      0.0.0.0:*
tcp   LISTEN 0      4096               *:9100            *:*
tcp   LISTEN 0      128             [::]:22           [::]:*
tcp   LISTEN 0      128            [::1]:631          [::]:*
tcp   LISTEN 0      128  [fe80::1]%eth0:5000          [::]:*
`

const hexTable = `32768 60999
hex tcp
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
hex tcp6
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0 0 0 0
   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 0 0 0 0
`

const dfTable = "Filesystem     1024-blocks    Used Available Capacity Mounted on\n/dev/sda1 with space          10240000 7168000   1024000      88% /var\n"

const httpAnswer = "status 200\ncontains yes\nstatus 500\n"

func frame(code int, body string) remote.Frame { return remote.Frame{Body: []byte(body), Code: code} }

func TestJudge(t *testing.T) {
	self := Vars{Address: "10.0.0.5", Name: "web-1", Site: "hq"}
	tcp := func(a string) Check { return Check{TCP: &TCP{Address: a}} }
	http := func(status int, text string) Check { return Check{HTTP: &HTTP{Status: status, Contains: text}} }
	disk := func(free string) Check { return Check{Disk: &Disk{Path: "/var", MinFree: free}} }
	load := Check{Load: &Load{Max: 2}}
	command := Check{Command: &Command{Argv: []string{"x"}}}
	service := Check{Service: "nginx"}
	for name, c := range map[string]struct {
		check Check
		frame remote.Frame
		want  Verdict
		seen  string
	}{
		"active":              {service, frame(0, "active\n"), Pass, "active"},
		"active, but not 0":   {service, frame(3, "active\n"), Unknown, "systemctl said"},
		"failed":              {service, frame(3, "failed\n"), Fail, "failed"},
		"activating":          {service, frame(3, "activating\n"), Fail, "activating"},
		"just started":        {service, frame(0, "active\nfor 9\n"), Fail, "active, but started only 9 s ago"},
		"started long ago":    {service, frame(0, "active\nfor 10\n"), Pass, "active"},
		"little time":         {Check{Service: "nginx", Within: 4 * time.Second}, frame(0, "active\nfor 2\n"), Pass, "active"},
		"clocks do not fit":   {service, frame(0, "active\nfor -5\n"), Pass, "active"},
		"active, and more":    {service, frame(0, "active\nfor ever\n"), Unknown, "systemctl said"},
		"no such unit":        {service, frame(4, "unknown\n"), Fail, "no such unit"},
		"no systemd":          {service, frame(127, "systemctl is not on this host\n"), Unknown, "not on this host"},
		"bus is down":         {service, frame(1, "Failed to connect to bus\x1b[0m\n"), Unknown, `Failed to connect to bus\x1b[0m`},
		"listens":             {tcp(":22"), frame(0, ssTable), Pass, "listening on 0.0.0.0:22"},
		"listens, hex":        {tcp(":22"), frame(0, hexTable), Pass, "listening on 0.0.0.0:22"},
		"listens to any":      {tcp("127.0.0.1:9100"), frame(0, ssTable), Pass, "listening on *:9100"},
		"listens on loopback": {tcp("127.0.0.1:8080"), frame(0, hexTable), Pass, "listening on 127.0.0.1:8080"},
		"not on that address": {tcp("10.0.0.5:8080"), frame(0, ssTable), Fail, "listening only on 127.0.0.1:8080"},
		"v6 loopback":         {tcp("[::1]:631"), frame(0, hexTable), Pass, "listening on [::1]:631"},
		"both families":       {tcp("localhost:631"), frame(0, ssTable), Pass, "listening on [::1]:631"},
		"any of its own":      {tcp(":8080"), frame(0, ssTable), Pass, "listening on 127.0.0.1:8080"},
		"udp does not count":  {tcp(":53"), frame(0, ssTable), Fail, "nothing listens on port 53"},
		"no table":            {tcp(":22"), frame(127, "neither ss nor …"), Unknown, "neither ss"},
		"broken table":        {tcp(":22"), frame(0, "x\nNetid\ntcp LISTEN 0 128 what 0\n"), Unknown, "can't be read"},
		"elsewhere open":      {tcp("10.9.9.9:22"), frame(0, ""), Pass, "open"},
		"elsewhere closed":    {tcp("10.9.9.9:22"), frame(1, "refused"), Fail, "not open: refused"},
		"elsewhere silent":    {tcp("10.9.9.9:22"), frame(124, ""), Fail, "no answer in time"},
		"elsewhere no tool":   {tcp("10.9.9.9:22"), frame(127, "needs nc"), Unknown, "needs nc"},
		"http":                {http(0, ""), frame(0, httpAnswer), Pass, "status 200"},
		"http text":           {http(200, "ok"), frame(0, httpAnswer), Pass, "status 200"},
		"http no text":        {http(200, "ok"), frame(0, strings.Replace(httpAnswer, "yes", "no", 1)), Fail, "the text was not in the answer"},
		"http status":         {http(204, ""), frame(0, httpAnswer), Fail, "status 200, not 204"},
		"http wget":           {http(404, ""), frame(0, "status   HTTP/1.0 404 File not found\ncontains no\nwhat\n"), Pass, "status 404"},
		"http 2":              {http(200, ""), frame(0, "status HTTP/2 200\ncontains no\n\n"), Pass, "status 200"},
		"http refused":        {http(200, ""), frame(0, "status 000\ncontains no\ncurl: (7) Failed to connect\n"), Fail, "no answer: curl: (7) Failed to connect"},
		"http no status":      {http(200, ""), frame(0, "status \ncontains no\nwget: bad address\n"), Fail, "no answer: wget: bad address"},
		"http without tool":   {http(200, ""), frame(127, "needs curl or wget"), Unknown, "needs curl or wget"},
		"http broken":         {http(200, ""), frame(0, "HTTP/1.1 200 OK"), Unknown, "can't be read"},
		"command":             {command, frame(0, "fine\n"), Pass, "exit status 0: fine"},
		"command fails":       {command, frame(3, "\x1b]52;c;boo\n"), Fail, `exit status 3: \x1b]52;c;boo`},
		"command hangs":       {command, frame(124, ""), Fail, "did not end in time"},
		"command not found":   {command, frame(127, "sh: x: not found"), Fail, "not found"},
		"disk":                {disk("10%"), frame(0, dfTable), Pass, "1000 MiB (12%) free"},
		"disk full":           {disk("2GiB"), frame(0, dfTable), Fail, "free, not 2GiB"},
		"disk percent":        {disk("13%"), frame(0, dfTable), Fail, "free, not 13%"},
		"disk unread":         {disk("1%"), frame(1, "df: /x: No such file"), Unknown, "No such file"},
		"disk broken":         {disk("1%"), frame(0, "Filesystem\n"), Unknown, "df said"},
		"load":                {load, frame(0, "3.90 2.0 1.0 1/200 4321\n2\n"), Pass, "3.90 on 2 processors"},
		"load high":           {load, frame(0, "4.10 2.0 1.0 1/200 4321\n2\n"), Fail, "more than 2 each"},
		"load broken":         {load, frame(0, "NaN 2.0 1.0 1/200 4321\n2\n"), Unknown, "can't be read"},
		"load no processors":  {load, frame(0, "3.90 2.0 1.0 1/200 4321\n0\n"), Unknown, "can't be read"},
		"nothing":             {Check{}, frame(0, ""), Unknown, "nothing was asked"},
	} {
		verdict, seen := judge(c.check, self, c.frame)
		if verdict != c.want || !strings.Contains(seen, c.seen) {
			t.Errorf("%s: want %s %q, got %s %q", name, c.want, c.seen, verdict, seen)
		}
	}
}

func TestRoundWithoutAnswerIsUnknown(t *testing.T) {
	round := Round{Nonce: "n", Checks: []Check{{Service: "nginx"}, {DefaultDiff: true}}, Snapshot: true}
	answer := "@@n begin 0\nactive\n\n@@n end 0\n"
	for name, c := range map[string]struct {
		result remote.Result
		seen   string
	}{
		"lost":      {remote.Result{Out: []byte(answer + "@@n eof\n")}, "the connection ended"},
		"truncated": {remote.Result{Ending: remote.Exited, Truncated: true, Out: []byte(answer + "@@n eof\n")}, "too much"},
		"cut":       {remote.Result{Ending: remote.Exited, Out: []byte(answer)}, "ends early"},
		"silent":    {remote.Result{Ending: remote.Exited, Code: 1, Err: []byte("no shell")}, "no shell"},
		"forged":    {remote.Result{Ending: remote.Exited, Out: []byte("@@x begin 0\nactive\n\n@@x end 0\n@@x eof\n")}, "ends early"},
	} {
		got := round.Read(c.result, time.Time{})
		if r := got.Results[0]; r.Verdict != Unknown || !strings.Contains(r.Seen, c.seen) {
			t.Errorf("%s: got %+v", name, r)
		}
		for section, s := range got.Snapshot.Sections {
			if s.Known || s.Why == "" {
				t.Errorf("%s: %s: got %+v", name, section, s)
			}
		}
	}
	got := round.Read(remote.Result{Ending: remote.Exited, Out: []byte(answer + "@@n eof\n")}, time.Time{})
	if got.Results[0].Verdict != Pass {
		t.Errorf("got %+v", got.Results)
	}
}

func TestParseFree(t *testing.T) {
	for text, want := range map[string]Free{
		"10%": {Percent: 10}, "0.5%": {Percent: 0.5}, "500MiB": {KiB: 500 << 10}, "2GiB": {KiB: 2 << 20},
		"2G": {KiB: 2 << 20}, "1024B": {KiB: 1}, "1000 MB": {KiB: 976562}, "1TiB": {KiB: 1 << 30},
	} {
		if got, err := ParseFree(text); err != nil || got != want {
			t.Errorf("%s: want %+v, got %+v %v", text, want, got, err)
		}
	}
	for _, text := range []string{"", "%", "10", "-5%", "101%", "5 lots", "NaN%", "Inf%", "1e99GiB", "5Gib", "%10"} {
		if got, err := ParseFree(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

func TestFill(t *testing.T) {
	v := Vars{Address: "10.0.0.5", Name: "web-1", Site: "hq"}
	got, err := Check{HTTP: &HTTP{URL: "https://{{ .address }}/{{.site}}/{{ .name }}?a=%20"}}.Fill(v)
	if err != nil || got.HTTP.URL != "https://10.0.0.5/hq/web-1?a=%20" {
		t.Errorf("got %+v %v", got.HTTP, err)
	}
	original := Check{Command: &Command{Argv: []string{"smoke", "--host={{ .address }}"}}}
	got, err = original.Fill(Vars{Address: "2001:db8::5", Name: "n", Site: "s"})
	if err != nil || !slices.Equal(got.Command.Argv, []string{"smoke", "--host=2001:db8::5"}) || original.Command.Argv[1] != "--host={{ .address }}" {
		t.Errorf("got %+v %v", got.Command, err)
	}
	got, err = Check{TCP: &TCP{Address: "{{ .address }}:443"}}.Fill(Vars{Address: "2001:db8::5"})
	if err != nil || got.TCP.Address != "[2001:db8::5]:443" {
		t.Errorf("got %+v %v", got.TCP, err)
	}
	for name, c := range map[string]Check{
		"unknown key":   {HTTP: &HTTP{URL: "http://{{ .user }}/"}},
		"left open":     {HTTP: &HTTP{URL: "http://{{ .address }/"}},
		"a pipeline":    {HTTP: &HTTP{URL: "http://{{ .address | html }}/"}},
		"no URL":        {HTTP: &HTTP{URL: "file:///etc/passwd"}},
		"option":        {Service: "--force"},
		"no port":       {TCP: &TCP{Address: "web"}},
		"big port":      {TCP: &TCP{Address: ":65536"}},
		"bad host":      {TCP: &TCP{Address: "-x:22"}},
		"relative":      {Disk: &Disk{Path: "var", MinFree: "1%"}},
		"no space":      {Disk: &Disk{Path: "/var", MinFree: "lots"}},
		"empty command": {Command: &Command{}},
		"NUL":           {Command: &Command{Argv: []string{"a\x00b"}}},
		"no load":       {Load: &Load{}},
	} {
		if got, err := c.Fill(v); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	for _, hostile := range []string{"", "-oProxyCommand=x", "a b", "a/b", "a@b", "$(id)", "a\nb", "a#"} {
		if got, err := (Check{HTTP: &HTTP{URL: "http://{{ .address }}/"}}).Fill(Vars{Address: hostile}); err == nil {
			t.Errorf("%q: got %+v", hostile, got.HTTP)
		}
	}
}

func TestCheckName(t *testing.T) {
	for want, c := range map[string]Check{
		"mine": {Name: "mine", Service: "x"}, "service nginx": {Service: "nginx"}, "tcp :22": {TCP: &TCP{Address: ":22"}},
		"http http://x": {HTTP: &HTTP{URL: "http://x"}}, "command a": {Command: &Command{Argv: []string{"a", "b"}}},
		"disk /var": {Disk: &Disk{Path: "/var"}}, "load": {Load: &Load{}}, "default_diff": {DefaultDiff: true}, "check": {},
	} {
		if got := CheckName(c); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

func TestWorst(t *testing.T) {
	r := func(vs ...Verdict) (rs []Result) {
		for _, v := range vs {
			rs = append(rs, Result{Verdict: v})
		}
		return rs
	}
	for _, c := range []struct {
		results []Result
		want    Verdict
	}{
		{nil, Unknown}, {r(Pass), Pass}, {r(Pass, Unknown), Unknown}, {r(Unknown, Fail, Pass), Fail}, {r(Pass, Verdict(9)), Unknown},
	} {
		if got := Worst(c.results); got != c.want {
			t.Errorf("%v: want %s, got %s", c.results, c.want, got)
		}
	}
}
