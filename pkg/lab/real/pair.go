//go:build linux

package real

import (
	_ "embed"
	"fmt"
	"strings"
)

// VirtualAddress is what the load balancers of a pair answer at: the one of them that
// keepalived gives it to.
const VirtualAddress = hubPrefix + "100"

// Sharer is the program by which a load balancer of a pair gives the virtual address away:
// "vrrpctl drain", "vrrpctl ready", and "vrrpctl idle", which exits 0 when the other one
// has it and no client is left here.
const Sharer = "/usr/local/bin/vrrpctl"

// BalancedBy is the header in which a load balancer of a pair names itself.
const BalancedBy = "X-Balanced-By"

//go:embed vrrpctl.sh
var sharerProgram string

// pairConfig lowers the priority by the number in a file, which Sharer writes and which
// outlives a reboot. Version 3 of VRRP has times below a second.
const pairConfig = `global_defs {
	router_id %[1]s
	vrrp_version 3
}
track_file drained {
	file /etc/keepalived/drained
	weight -1
}
vrrp_instance shop {
	state BACKUP
	interface host0
	virtual_router_id 51
	priority %[2]d
	advert_int 0.2
	virtual_ipaddress {
		%[3]s/32
	}
	track_file {
		drained
	}
}
`

// Paired makes the host one of a pair of load balancers, HAProxy with keepalived, in front
// of these servers. Of those that are not drained the one with the higher priority, 101 to
// 200, has VirtualAddress.
func Paired(priority int, servers ...*Host) Option {
	balance := balancerConfig(servers)
	return func(s *spec) {
		s.gear = Pair
		s.files = append(s.files,
			file{Sharer, 0o755, strings.ReplaceAll(sharerProgram, "@ADDRESS@", VirtualAddress)},
			file{"/etc/keepalived/drained", 0o644, "0\n"})
		s.late = append(s.late, func(h *Host) []file {
			own := fmt.Sprintf("\thttp-response set-header %s %s\n", BalancedBy, h.Name)
			return []file{
				{"/etc/haproxy/haproxy.cfg", 0o644, balance + own},
				{"/etc/keepalived/keepalived.conf", 0o644, fmt.Sprintf(pairConfig, h.Name, priority, VirtualAddress)},
			}
		})
	}
}

const webConfig = `server {
	listen %d default_server;
	location / {
		default_type text/plain;
		return 200 "nginx $nginx_version\n";
	}
}
`

// WebServer has the host answer with nginx where another has the Daemon.
func WebServer() Option {
	return func(s *spec) {
		s.gear = Pair
		s.packages = nil
		s.files = append(s.files, file{"/etc/nginx/conf.d/lab.conf", 0o644, fmt.Sprintf(webConfig, DaemonPort)})
	}
}

// HasVirtualAddress asks the host's own network.
func (h *Host) HasVirtualAddress() bool {
	out, err := h.Exec("ip", "-4", "-oneline", "address", "show", "dev", "host0")
	return err == nil && strings.Contains(out, " "+VirtualAddress+"/")
}

// Shared is what Sharer was told, in order: drain, ready.
func (h *Host) Shared() []string {
	out, err := h.Exec("cat", "/var/log/vrrpctl")
	if err != nil {
		return nil // it was never called
	}
	return strings.Fields(out)
}
