//go:build linux

package real

import (
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Balancer is the program by which servers are taken out of the HAProxy of a
// LoadBalancer: "lbctl drain", "lbctl ready", and "lbctl idle", which exits 0 when the
// server has no session. The server's name is in PATCHRING_HOST.
const Balancer = "/usr/local/bin/lbctl"

// Files of faults of Balancer: each lists names of servers, one a line.
const (
	BalancerBusy       = "/etc/lbctl.busy"         // idle says that they are not
	BalancerBroken     = "/etc/lbctl.broken-drain" // drain drains, and then fails
	BalancerHangsReady = "/etc/lbctl.hangs-ready"  // ready does it, and does not end before the file is gone
)

// BalancerPort is where HAProxy answers for its servers, ServedBy the header in which
// it names the one that did.
const (
	BalancerPort = 80
	ServedBy     = "X-Served-By"
)

const statsPort = 8404 // as seen from the host itself

//go:embed lbctl.pl
var balancerProgram string

// Nothing but draining keeps a client from a server that is down: there is no health
// check, no second try, and no connection that is used again.
const balancerHead = `global
	stats socket /run/haproxy/admin.sock mode 600 level admin
	user haproxy
	group haproxy
defaults
	mode http
	retries 0
	timeout connect 2s
	timeout client 10s
	timeout server 10s
	http-reuse never
frontend stats
	bind 127.0.0.1:%d
	stats enable
	stats uri /
frontend shop
	bind :%d
	default_backend web
backend web
	balance roundrobin
	http-response set-header %s %%s
`

// LoadBalancer gives the host a real HAProxy in front of the Daemon of these hosts.
func LoadBalancer(servers ...*Host) Option {
	config := balancerConfig(servers)
	return func(s *spec) {
		s.files = append(s.files, file{"/etc/haproxy/haproxy.cfg", 0o644, config}, file{Balancer, 0o755, balancerProgram})
	}
}

// balancerConfig ends with the section about the servers.
func balancerConfig(servers []*Host) string {
	var config strings.Builder
	fmt.Fprintf(&config, balancerHead, statsPort, BalancerPort, ServedBy)
	for _, h := range servers {
		fmt.Fprintf(&config, "\tserver %s %s:%d\n", h.Name, h.Address, DaemonPort)
	}
	return config.String()
}

// Backend is how HAProxy itself shows one server, e.g. "no check" where it sends
// requests to it, and "DRAIN" where it does not.
func (h *Host) Backend(server string) string {
	h.t.Helper()
	text := h.Must("curl", "--silent", "--show-error", "--fail", fmt.Sprintf("http://127.0.0.1:%d/;csv", statsPort))
	status, err := backendStatus(text, server)
	if err != nil {
		h.t.Fatalf("%s: %v:\n%s", h.Name, err, text)
	}
	return status
}

// backendStatus finds a server's status in HAProxy's statistics.
func backendStatus(text, server string) (string, error) {
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "# "))).ReadAll()
	if err != nil {
		return "", fmt.Errorf("HAProxy's statistics can't be read: %w", err)
	}
	if len(rows) == 0 {
		return "", errors.New("HAProxy's statistics are empty")
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for _, row := range rows[1:] {
		if row[at["pxname"]] == "web" && row[at["svname"]] == server {
			return row[at["status"]], nil
		}
	}
	return "", fmt.Errorf("HAProxy knows no server %s", server)
}

// Balanced is what Balancer was told about a server, in order: drain, ready.
func (h *Host) Balanced(server string) []string {
	h.t.Helper()
	out, err := h.Exec("cat", "/var/log/lbctl")
	if err != nil {
		return nil // it was never called
	}
	var words []string
	for line := range strings.Lines(out) {
		if word, ok := strings.CutSuffix(strings.TrimSpace(line), " "+server); ok {
			words = append(words, word)
		}
	}
	return words
}

// BackendTimes are the seconds in which HAProxy logged that a server came out of use or
// into it again.
func (h *Host) BackendTimes(server string) (out, in []int64) {
	h.t.Helper()
	log := h.Must("journalctl", "--unit=haproxy", "--output=short-unix", "--no-pager")
	return backendTimes(log, server)
}

// backendTimes reads lines such as "1700000000.123456 lb-1 haproxy[7]: Server web/a is …".
func backendTimes(log, server string) (out, in []int64) {
	for line := range strings.Lines(log) {
		_, event, found := strings.Cut(line, "Server web/"+server+" ")
		at, _, _ := strings.Cut(line, ".")
		second, err := strconv.ParseInt(at, 10, 64)
		if !found || err != nil {
			continue
		}
		switch {
		case strings.Contains(event, "enters drain"):
			out = append(out, second)
		case strings.Contains(event, "leaving"):
			in = append(in, second)
		}
	}
	return out, in
}

// Dial connects from the hub network, where programs under test run, for a client of
// the test's own.
func (l *Lab) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	return dialFrom(ctx, l.bundle.netPath(hubNet), address)
}
