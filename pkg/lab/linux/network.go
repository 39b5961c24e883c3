package linux

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// ss lists listening sockets. Only the numeric forms are known.
func (m *Machine) ss(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "Hltunp", "no-header|H", "listening|l", "tcp|t", "udp|u", "numeric|n")
	if !ok || !o.Has("l") || !o.Has("n") {
		p.Lacks("ss is only simulated with -l and -n")
		return posix.Usage
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	both := o.Has("t") == o.Has("u")
	var rows [][]string
	if !o.Has("H") {
		rows = append(rows, socketRow(both, "Netid", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port"))
	}
	if both || o.Has("u") {
		for _, port := range m.open(true) {
			rows = append(rows, socketRow(both, "udp", "UNCONN", "0", "0", fmt.Sprintf("0.0.0.0:%d", port), "0.0.0.0:*"))
		}
	}
	if both || o.Has("t") {
		for _, port := range m.open(false) {
			rows = append(rows, socketRow(both, "tcp", "LISTEN", "0", "511", fmt.Sprintf("0.0.0.0:%d", port), "0.0.0.0:*"),
				socketRow(both, "tcp", "LISTEN", "0", "511", fmt.Sprintf("[::]:%d", port), "[::]:*"))
		}
	}
	for _, row := range rows {
		p.Printf("%s\n", strings.Join(row, " "))
	}
	return 0
}

func socketRow(netid bool, cells ...string) []string {
	widths := []int{5, 6, 6, 6, 20, 20}
	row := make([]string, 0, len(cells))
	for i, cell := range cells {
		if i > 0 || netid {
			row = append(row, fmt.Sprintf("%-*s", widths[i], cell))
		}
	}
	return row
}

func (m *Machine) ip(_ context.Context, p *posix.Proc, args []string) int {
	var words []string
	six := false
	for _, arg := range args[1:] {
		switch arg {
		case "-4", "-o", "-oneline", "-N":
		case "-6":
			six = true
		default:
			words = append(words, arg)
		}
	}
	switch strings.Join(words, " ") {
	case "route", "route show", "route show default", "route list default", "route list":
		if six {
			return 0
		}
		p.Printf("default via 10.0.0.1 dev eth0 proto static \n")
		if !slices.Contains(words, "default") {
			p.Printf("10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.10 \n")
		}
		return 0
	}
	p.Lacks("ip %s is not simulated", strings.Join(args[1:], " "))
	return posix.Usage
}

// curl reaches the host's own listeners; what they serve is made up.
func (m *Machine) curl(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "fsSkLio:w:m:IX:H:gqA:", "include|i", "max-time=|m", "output=|o", "write-out=|w", "silent|s", "show-error|S", "fail|f", "insecure|k",
		"connect-timeout=", "location|L", "head|I", "request=|X", "max-redirs=", "globoff|g", "noproxy=", "proto=", "disable|q", "max-filesize=", "header=|H",
		"user-agent=|A", "url=", "proto-redir=", "resolve=", "http1.1")
	target := o.Value("url")
	if ok && len(o.Args) == 1 {
		target = o.Args[0]
	}
	if !ok || target == "" {
		return posix.Usage
	}
	code, body := 0, "ok\n"
	m.mu.Lock()
	up := slices.Contains(m.open(false), urlPort(target))
	m.mu.Unlock()
	status := "200"
	if !up {
		code, body, status = 7, "", "000"
		if o.Has("S") || !o.Has("s") {
			fmt.Fprintf(p.Err, "curl: (7) Failed to connect to %s port %d after 0 ms: Couldn't connect to server\n", urlHost(target), urlPort(target))
		}
	}
	if up && o.Has("i") {
		body = "HTTP/1.1 200 OK\r\nServer: simulated\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n" + body
	}
	if o.Value("o") != "/dev/null" && body != "" {
		p.Printf("%s", body)
	}
	p.Printf("%s", strings.NewReplacer("%{http_code}", status, "%{response_code}", status, `\n`, "\n").Replace(o.Value("w")))
	return code
}

// nc only asks whether a port of this very host is open.
func (m *Machine) nc(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "zw:v")
	if !ok || !o.Has("z") || len(o.Args) != 2 {
		return posix.Usage
	}
	if !slices.Contains([]string{"127.0.0.1", "localhost", m.conf.Name}, o.Args[0]) {
		p.Lacks("nc to another host than this one is not simulated")
		return posix.Usage
	}
	port, err := strconv.Atoi(o.Args[1])
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || !slices.Contains(m.open(false), port) {
		return 1
	}
	return 0
}

func urlPort(target string) int {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok {
		scheme, rest = "http", target
	}
	authority, _, _ := strings.Cut(rest, "/")
	if _, port, ok := strings.Cut(authority, ":"); ok {
		n, err := strconv.Atoi(port)
		if err != nil {
			return 0
		}
		return n
	}
	return map[string]int{"http": 80, "https": 443}[scheme]
}

func urlHost(target string) string {
	if _, rest, ok := strings.Cut(target, "://"); ok {
		target = rest
	}
	authority, _, _ := strings.Cut(target, "/")
	host, _, _ := strings.Cut(authority, ":")
	return host
}
