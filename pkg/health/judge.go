package health

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// lacks is the status with which the script says that the host has nothing to
// answer with.
const lacks = 127

// judge turns what the host printed about one check into a verdict and what was seen.
func judge(c Check, v Vars, f remote.Frame) (Verdict, string) {
	switch {
	case c.Command != nil:
		return judgeCommand(f)
	case f.Code == lacks:
		return Unknown, cmp.Or(clean(f.Body), "the host has no tool to answer with")
	case c.Service != "":
		return judgeService(c, f)
	case c.TCP != nil:
		return judgeTCP(*c.TCP, v, f)
	case c.HTTP != nil:
		return judgeHTTP(*c.HTTP, f)
	case c.Disk != nil:
		return judgeDisk(*c.Disk, f)
	case c.Load != nil:
		return judgeLoad(*c.Load, f)
	case c.Conffiles != nil:
		return judgeConffiles(f)
	}
	return Unknown, "nothing was asked"
}

func judgeCommand(f remote.Frame) (Verdict, string) {
	seen := fmt.Sprintf("exit status %d", f.Code)
	if f.Code == 124 {
		seen = "did not end in time (exit status 124)"
	}
	if said := clean(bytes.TrimSpace(f.Body)); said != "" {
		seen += ": " + said
	}
	if f.Code == 0 {
		return Pass, seen
	}
	return Fail, seen
}

// settled is how long a service's process must have lived: what crashes at its start
// and is started over and over is active for moments, and one of them would do.
const settled = 10 * time.Second

// judgeService reads "systemctl is-active": one word, and 0 for active. Then "for N"
// may follow: the seconds that its process has lived.
func judgeService(c Check, f remote.Frame) (Verdict, string) {
	state, age, aged := strings.Cut(string(bytes.TrimSpace(f.Body)), "\nfor ")
	switch state {
	case "active":
		seconds, err := strconv.Atoi(age)
		switch {
		case f.Code != 0, aged && err != nil:
		case aged && seconds >= 0 && seconds < int(min(settled, c.Patience()/2)/time.Second): // a container's clocks may not fit
			return Fail, fmt.Sprintf("active, but started only %d s ago", seconds)
		default:
			return Pass, state
		}
	case "inactive", "failed", "activating", "deactivating", "reloading", "maintenance", "refreshing":
		return Fail, state
	case "unknown":
		return Fail, "there is no such unit"
	}
	return Unknown, "systemctl said: " + clean(f.Body)
}

func judgeTCP(c TCP, v Vars, f remote.Frame) (Verdict, string) {
	host, port, err := c.HostPort()
	if err != nil {
		return Unknown, err.Error()
	}
	if v.isSelf(host) {
		return judgeListening(host, port, f)
	}
	switch f.Code {
	case 0:
		return Pass, "open"
	case 124:
		return Fail, "no answer in time"
	}
	return Fail, "not open: " + clean(f.Body)
}

// judgeListening: a socket listens on the port, at this address or at all of them.
// Where no host is named, any of the host's own addresses will do.
func judgeListening(host string, port int, f remote.Frame) (Verdict, string) {
	sockets, err := parseSockets(f.Body)
	if err != nil || f.Code != 0 {
		return Unknown, "the listening sockets can't be read: " + clean(f.Body)
	}
	elsewhere := ""
	for _, s := range sockets {
		if s.proto != "tcp" || s.port != port {
			continue
		}
		if host == "" || s.serves(host) {
			return Pass, "listening on " + s.String()
		}
		elsewhere = s.String()
	}
	if elsewhere != "" {
		return Fail, "listening only on " + elsewhere
	}
	return Fail, fmt.Sprintf("nothing listens on port %d", port)
}

var statusLine = regexp.MustCompile(`^status +(?:HTTP/[0-9.]+ +)?([0-9]{3})\b`)

// judgeHTTP reads "status CODE" (or the status line as it came), "contains yes|no",
// then the end of what was said.
func judgeHTTP(c HTTP, f remote.Frame) (Verdict, string) {
	first, rest, _ := bytes.Cut(f.Body, []byte("\n"))
	contains, said, ok := bytes.Cut(rest, []byte("\n"))
	contains, ok2 := bytes.CutPrefix(contains, []byte("contains "))
	if !ok || !ok2 || f.Code != 0 || !bytes.HasPrefix(first, []byte("status ")) {
		return Unknown, "the answer can't be read: " + clean(f.Body)
	}
	status := 0
	if m := statusLine.FindSubmatch(first); m != nil {
		status, _ = strconv.Atoi(string(m[1])) // three digits
	}
	if status == 0 { // curl's 000
		return Fail, "no answer: " + clean(bytes.TrimSpace(said))
	}
	return JudgeHTTP(c, status, string(contains) == "yes")
}

// JudgeHTTP compares an answer with what was asked for. It is the same for the host
// and the controller: a redirect is an answer, not followed.
func JudgeHTTP(c HTTP, status int, contains bool) (Verdict, string) {
	want := c.Status
	if want == 0 {
		want = 200
	}
	seen := "status " + strconv.Itoa(status)
	switch {
	case status != want:
		return Fail, fmt.Sprintf("%s, not %d", seen, want)
	case c.Contains != "" && !contains:
		return Fail, seen + ", but the text was not in the answer"
	}
	return Pass, seen
}

// judgeDisk reads "df -P -k": a header and one line per file system. Free is what
// df calls available, of what is used and available together.
func judgeDisk(c Disk, f remote.Frame) (Verdict, string) {
	used, free, ok := parseDF(f.Body)
	want, err := ParseFree(c.MinFree)
	if !ok || err != nil || f.Code != 0 {
		return Unknown, "df said: " + clean(f.Body)
	}
	percent := 100 * float64(free) / float64(max(used+free, 1))
	seen := fmt.Sprintf("%d MiB (%.0f%%) free", free>>10, percent)
	if free < want.KiB || percent < want.Percent {
		return Fail, seen + ", not " + remote.Clean(c.MinFree, 40)
	}
	return Pass, seen
}

// parseDF takes the last line that is one of df's: the device may stand on a line
// of its own in old df's, and may hold spaces.
func parseDF(out []byte) (used, free int64, ok bool) {
	for line := range bytes.Lines(out) {
		words := strings.Fields(string(line))
		for i := range words {
			if i >= 3 && strings.HasSuffix(words[i], "%") {
				u, err1 := strconv.ParseInt(words[i-2], 10, 64)
				a, err2 := strconv.ParseInt(words[i-1], 10, 64)
				if err1 == nil && err2 == nil && u >= 0 && a >= 0 && u < 1<<50 && a < 1<<50 {
					used, free, ok = u, a, true
				}
				break
			}
		}
	}
	return used, free, ok
}

// judgeLoad reads /proc/loadavg and the number of processors.
func judgeLoad(c Load, f remote.Frame) (Verdict, string) {
	words := strings.Fields(string(f.Body))
	if f.Code != 0 || len(words) != 6 {
		return Unknown, "the load can't be read: " + clean(f.Body)
	}
	load, err1 := strconv.ParseFloat(words[0], 64)
	cpus, err2 := strconv.Atoi(words[5])
	if err1 != nil || err2 != nil || !(load >= 0) || cpus < 1 {
		return Unknown, "the load can't be read: " + clean(f.Body)
	}
	seen := fmt.Sprintf("%.2f on %d processors", load, cpus)
	if load > c.Max*float64(cpus) {
		return Fail, fmt.Sprintf("%s, more than %g each", seen, c.Max)
	}
	return Pass, seen
}
