// Package real makes real hosts on one Linux machine for the time of a test: systemd,
// sshd and apt, dnf, zypper or pacman run in systemd-nspawn containers, each with its
// own address, reboots and faults. What is not apt is Debian's package of the tool on
// Debian's files, see OS. It needs root and a few Debian packages; Available
// says what is missing, and New skips the test with that reason.
//
// Load balancers (HAProxy, a pair of them with keepalived), web servers (nginx) and routers
// (FRR) are Debian's own, see LoadBalancer, Paired, WebServer and Router.
//
// A whole lab (mounts, networks, processes) lives inside namespaces whose first
// process ends when the test process ends, however that happens. So the kernel
// tears a lab down, and nothing of it is ever seen by the machine's own network.
//
// It is a test support package: nothing of the product imports it, and it imports
// nothing of the product, so that it can be the judge of the product.
package real
