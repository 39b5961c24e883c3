package health

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// services has ports of services, and of a UDP client, where ports are handed out.
const services = `32768	60999
Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
udp   UNCONN 0      0            0.0.0.0:45000     0.0.0.0:*
udp   UNCONN 0      0            0.0.0.0:1194      0.0.0.0:*
udp   UNCONN 0      0            0.0.0.0:61500     0.0.0.0:*
tcp   LISTEN 0      128          0.0.0.0:5432      0.0.0.0:*
tcp   LISTEN 0      128          0.0.0.0:33060     0.0.0.0:*
tcp   LISTEN 0      128        127.0.0.1:50051     0.0.0.0:*
`

func TestReadSections(t *testing.T) {
	for name, c := range map[string]struct {
		section string
		frame   remote.Frame
		want    []string // nil: not known
		why     string
	}{
		"our own unit":    {fact.SectionFailedUnits, frame(0, "patchring-r1-install.service loaded failed failed x\n"), []string{}, ""},
		"no failed units": {fact.SectionFailedUnits, frame(0, "\n"), []string{}, ""},
		"failed units": {fact.SectionFailedUnits, frame(0, "● nginx.service loaded failed dead A web server\napt.timer loaded failed dead x\n"),
			[]string{"apt.timer", "nginx.service"}, ""},
		"crash loop": {fact.SectionFailedUnits, frame(0, "app.service loaded activating auto-restart has failed\nb.service loaded activating auto-restart-queued x\n"),
			[]string{"app.service (auto-restart)", "b.service (auto-restart)"}, ""},
		"not asked for": {fact.SectionFailedUnits, frame(0, "app.service loaded activating start failed auto-restart\n"), nil, "unexpected words of systemctl"},
		"no systemd":    {fact.SectionFailedUnits, frame(127, "systemd does not run on this host\n"), nil, NotToBeHad + "systemd does not run on this host"},
		"bus down":      {fact.SectionFailedUnits, frame(1, "Failed to list units: Connection reset\nmore"), nil, "Failed to list units: Connection reset"},
		"silent":        {fact.SectionFailedUnits, frame(1, ""), nil, "exit status 1"},
		"strange units": {fact.SectionFailedUnits, frame(0, "hello\n"), nil, "unexpected words of systemctl"},
		"listeners": {fact.SectionListeners, frame(0, ssTable),
			[]string{"tcp *:9100", "tcp 0.0.0.0:22", "tcp 127.0.0.1:8080", "tcp [::1]:631", "tcp [::]:22", "udp 127.0.0.53:53"}, ""},
		"listeners hex": {fact.SectionListeners, frame(0, hexTable),
			[]string{"tcp 0.0.0.0:22", "tcp 127.0.0.1:8080", "tcp [::1]:631", "tcp [::]:22"}, ""},
		"wide range": {fact.SectionListeners, frame(0, strings.Replace(services, "32768\t60999", "1024 65535", 1)),
			[]string{"tcp 0.0.0.0:33060", "tcp 0.0.0.0:5432", "tcp 127.0.0.1:50051", "udp 0.0.0.0:1194", "udp 0.0.0.0:61500"}, ""},
		"default range": {fact.SectionListeners, frame(0, services),
			[]string{"tcp 0.0.0.0:33060", "tcp 0.0.0.0:5432", "tcp 127.0.0.1:50051", "udp 0.0.0.0:1194", "udp 0.0.0.0:61500"}, ""},
		"narrow range": {fact.SectionListeners, frame(0, strings.Replace(services, "32768\t60999", "61000 65000", 1)),
			[]string{"tcp 0.0.0.0:33060", "tcp 0.0.0.0:5432", "tcp 127.0.0.1:50051", "udp 0.0.0.0:1194", "udp 0.0.0.0:45000", "udp 0.0.0.0:61500"}, ""},
		"no listeners":    {fact.SectionListeners, frame(0, "1 2\nNetid State\n"), []string{}, ""},
		"no table":        {fact.SectionListeners, frame(0, "1 2\n"), nil, "there is no table"},
		"error for table": {fact.SectionListeners, frame(0, "1 2\nss: Permission denied\n"), nil, "unexpected line"},
		"mounts": {fact.SectionMounts, frame(0, "/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\n"+
			"nas:/x /mnt/a\\040b nfs4 ro,vers=4 0 0\n/dev/loop1 /snap/x squashfs ro 0 0\noverlay /var/lib/docker/x overlay rw 0 0\n"+
			"/dev/sdb1 /run/media/x vfat rw 0 0\n"), []string{"/ ext4 rw", `/mnt/a\040b nfs4 ro`}, ""},
		"container":     {fact.SectionMounts, frame(0, "overlay / overlay rw 0 0\n"), []string{"/ overlay rw"}, ""},
		"broken mounts": {fact.SectionMounts, frame(0, "what\n"), nil, "unexpected words"},
		"routes": {fact.SectionDefaultRoute, frame(0, "default via 10.0.0.1 dev eth0 proto dhcp src 10.0.0.5 metric 100 \ndefault via fe80::1 dev eth0 proto ra metric 100 expires 1799sec pref medium\n"),
			[]string{"default via 10.0.0.1 dev eth0", "default via fe80::1 dev eth0"}, ""},
		"many hops":     {fact.SectionDefaultRoute, frame(0, "default proto static \n\tnexthop via 10.0.0.1 dev eth0 weight 1 \n\tnexthop via 10.0.0.2 dev eth1 weight 1 \n"), []string{"default", "default via 10.0.0.1 dev eth0", "default via 10.0.0.2 dev eth1"}, ""},
		"no route":      {fact.SectionDefaultRoute, frame(0, ""), []string{}, ""},
		"busybox":       {fact.SectionDefaultRoute, frame(0, "default via 10.0.0.1 dev eth0 \n10.0.0.0/24 dev eth0 scope link  src 10.0.0.5 \nunreachable default dev lo\n"), []string{"default via 10.0.0.1 dev eth0", "unreachable default dev lo"}, ""},
		"broken routes": {fact.SectionDefaultRoute, frame(0, "RTNETLINK answers: no\n"), nil, "unexpected words of ip"},
		"in sync":       {fact.SectionTimeSync, frame(0, "yes\n"), []string{"yes"}, ""},
		"broken sync":   {fact.SectionTimeSync, frame(0, "perhaps\n"), nil, "unexpected words"},
		"cut off":       {fact.SectionMounts, frame(0, strings.Repeat("/dev/sda1 / ext4 rw 0 0\n", listBytes/24)), nil, "the list is too long"},
	} {
		kinds := snapshotSections()
		kind := kinds[slices.IndexFunc(kinds, func(k snapshotSection) bool { return k.name == c.section })]
		got := readSection(kind, c.frame)
		if got.Known != (c.want != nil) || !slices.Equal(got.Items, c.want) || !strings.HasPrefix(got.Why, c.why) {
			t.Errorf("%s: want %q %q, got %+v", name, c.want, c.why, got)
		}
	}
}

func known(items ...string) fact.Section { return fact.Section{Known: true, Items: items} }
func notKnown(why string) fact.Section   { return fact.Section{Why: why} }
func state(change ...func(map[string]fact.Section)) fact.Snapshot {
	sections := map[string]fact.Section{
		fact.SectionFailedUnits: known("old.service"), fact.SectionListeners: known("tcp *:22", "tcp *:80"),
		fact.SectionMounts: known("/ ext4 rw"), fact.SectionDefaultRoute: known("default via 10.0.0.1 dev eth0"), fact.SectionTimeSync: known("yes"),
		fact.SectionBGP: known("10.0.0.2 ipv4Unicast"),
	}
	for _, c := range change {
		c(sections)
	}
	return fact.Snapshot{Sections: sections}
}

func with(name string, s fact.Section) func(map[string]fact.Section) {
	return func(sections map[string]fact.Section) { sections[name] = s }
}

func TestDiff(t *testing.T) {
	nothing := NotToBeHad + "systemd does not run on this host"
	for name, c := range map[string]struct {
		section string
		was, is fact.Section
		want    Verdict
		seen    string
	}{
		"an old fault":       {fact.SectionFailedUnits, known("a"), known("a"), Pass, "1 before, 1 after"},
		"a fault less":       {fact.SectionFailedUnits, known("a"), known(), Pass, ""},
		"a new fault":        {fact.SectionFailedUnits, known("a"), known("a", "b"), Fail, "newly failed: b"},
		"a new crash loop":   {fact.SectionFailedUnits, known("a"), known("a", "b (auto-restart)"), Fail, "newly failed: b (auto-restart)"},
		"an old crash loop":  {fact.SectionFailedUnits, known("b (auto-restart)"), known("b (auto-restart)"), Pass, ""},
		"failed, then loops": {fact.SectionFailedUnits, known("b"), known("b (auto-restart)"), Pass, ""},
		"loops, then failed": {fact.SectionFailedUnits, known("b (auto-restart)"), known("b"), Fail, "newly failed: b"},
		"a listener lost":    {fact.SectionListeners, known("tcp *:22", "tcp *:80"), known("tcp *:22"), Fail, "no longer listening: tcp *:80"},
		"a new listener":     {fact.SectionListeners, known("tcp *:22"), known("tcp *:22", "tcp *:80"), Pass, ""},
		"a mount lost":       {fact.SectionMounts, known("/ ext4 rw", "/srv xfs rw"), known("/ ext4 rw"), Fail, "no longer mounted so: /srv xfs rw"},
		"read-only":          {fact.SectionMounts, known("/ ext4 rw"), known("/ ext4 ro"), Fail, "/ ext4 rw"},
		"a new mount":        {fact.SectionMounts, known("/ ext4 rw"), known("/ ext4 rw", "/srv xfs rw"), Pass, ""},
		"route changed":      {fact.SectionDefaultRoute, known("default via a"), known("default via b"), Fail, "was default via a, is default via b"},
		"route gone":         {fact.SectionDefaultRoute, known("default via a"), known(), Fail, "gone: default via a"},
		"first route":        {fact.SectionDefaultRoute, known(), known("default via a"), Pass, ""},
		"sync lost":          {fact.SectionTimeSync, known("yes"), known("no"), Fail, "no longer in sync"},
		"sync won":           {fact.SectionTimeSync, known("no"), known("yes"), Pass, ""},
		"a peer lost":        {fact.SectionBGP, known("a ipv4Unicast", "b ipv4Unicast"), known("a ipv4Unicast"), Fail, "no longer established: b ipv4Unicast"},
		"a peer won":         {fact.SectionBGP, known("a ipv4Unicast"), known("a ipv4Unicast", "b ipv4Unicast"), Pass, "1 before, 2 after"},
		"no vtysh":           {fact.SectionBGP, notKnown(NotToBeHad + "vtysh is not on this host"), notKnown(NotToBeHad + "vtysh is not on this host"), Pass, "not compared"},
		"vtysh hangs":        {fact.SectionBGP, known("a ipv4Unicast"), notKnown("exit status 124"), Unknown, "can't be read"},
		"never in sync":      {fact.SectionTimeSync, known("no"), known("no"), Pass, ""},
		"unknown after":      {fact.SectionMounts, known(), notKnown("the bus is down"), Unknown, "can't be read: the bus is down"},
		"unknown before":     {fact.SectionMounts, notKnown("it hung"), known(), Unknown, "could not be read before: it hung"},
		"absent on both":     {fact.SectionFailedUnits, notKnown(nothing), notKnown(nothing), Pass, "not compared"},
		"absent, then there": {fact.SectionFailedUnits, notKnown(nothing), known(), Unknown, "before"},
		"there, then absent": {fact.SectionFailedUnits, known(), notKnown(nothing), Unknown, nothing},
		"failed on both":     {fact.SectionFailedUnits, notKnown("the bus is down"), notKnown("the bus is down"), Unknown, "the bus is down"},
		"nobody asked":       {fact.SectionFailedUnits, fact.Section{}, fact.Section{}, Unknown, "nobody asked"},
	} {
		results := Diff(state(with(c.section, c.was)), state(with(c.section, c.is)))
		if len(results) != 6 {
			t.Fatalf("%s: got %+v", name, results)
		}
		for _, r := range results {
			if r.Check != "default_diff "+c.section {
				if r.Verdict != Pass {
					t.Errorf("%s: got %+v", name, r)
				}
				continue
			}
			if r.Verdict != c.want || !strings.Contains(r.Seen, c.seen) {
				t.Errorf("%s: want %s %q, got %+v", name, c.want, c.seen, r)
			}
		}
	}
}

func TestDiffOfNothingIsUnknown(t *testing.T) {
	gone := fact.Snapshot{Sections: map[string]fact.Section{}}
	for _, rule := range diffRules() {
		gone.Sections[rule.section] = notKnown(NotToBeHad + "x")
	}
	for name, c := range map[string][2]fact.Snapshot{"no snapshots": {}, "no section": {gone, gone}, "none before": {{}, state()}, "none after": {state(), {}}} {
		if got := Worst(Diff(c[0], c[1])); got != Unknown {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// An older patchring took the state before, and knew nothing of BGP.
func TestDiffWithASectionThatIsNew(t *testing.T) {
	before := state()
	delete(before.Sections, fact.SectionBGP)
	if got := Diff(before, state()); len(got) != 5 || Worst(got) != Pass {
		t.Errorf("got %+v", got)
	}
	if got := Worst(Diff(state(), before)); got != Unknown {
		t.Errorf("neighbours that nobody asked for after the work: got %s", got)
	}
}

func FuzzSnapshot(f *testing.F) {
	for _, body := range []string{ssTable, hexTable, dfTable, "/dev/sda1 / ext4 rw 0 0\n", "default via 10.0.0.1 dev eth0\n", "yes\n", "● a loaded failed\n", "a loaded activating auto-restart x\n"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, kind := range snapshotSections() {
			s := readSection(kind, remote.Frame{Body: body})
			if s.Known == (s.Why != "") {
				t.Errorf("%s: %+v", kind.name, s)
			}
			if !slices.IsSorted(s.Items) {
				t.Errorf("%s: not sorted: %q", kind.name, s.Items)
			}
			for _, text := range append(s.Items, s.Why) {
				if strings.ContainsFunc(text, unicode.IsControl) || len(text) > 2*seenBytes {
					t.Errorf("%s: not clean: %q", kind.name, text)
				}
			}
		}
	})
}

func FuzzJudge(f *testing.F) {
	for _, body := range []string{ssTable, hexTable, dfTable, httpAnswer, "active\n", "3.9 2 1 1/2 3\n2\n", "none\n", "/etc/a.rpmnew\n"} {
		f.Add(0, []byte(body))
	}
	checks := []Check{{Service: "a"}, {TCP: &TCP{Address: ":22"}}, {TCP: &TCP{Address: "h:22"}}, {HTTP: &HTTP{Status: 200, Contains: "x"}},
		{Command: &Command{Argv: []string{"a"}}}, {Disk: &Disk{Path: "/", MinFree: "5%"}}, {Load: &Load{Max: 1}}, conffiles("/etc")}
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		for _, c := range checks {
			verdict, seen := judge(c, Vars{}, remote.Frame{Body: body, Code: code})
			if verdict == Pass && code != 0 {
				t.Errorf("%s: passed with status %d", CheckName(c), code)
			}
			if strings.ContainsFunc(seen, unicode.IsControl) || len(seen) > 2*seenBytes || seen == "" {
				t.Errorf("%s: not clean: %q", CheckName(c), seen)
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	round := Round{Nonce: "n", Checks: []Check{{Service: "a"}, {DefaultDiff: true}}}
	f.Add([]byte("@@n begin 0\nactive\n\n@@n end 0\n@@n begin listeners\n" + ssTable + "\n@@n end 0\n@@n eof\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		got := round.Read(remote.Result{Ending: remote.Exited, Out: out}, time.Time{})
		if len(got.Results) != 2 || got.Results[1].Verdict != Unknown {
			t.Errorf("got %+v", got.Results)
		}
		if got.Results[0].Verdict == Pass && !strings.Contains(string(out), "active") {
			t.Errorf("passed out of nothing: %q", out)
		}
	})
}
