// Package real makes real Debian hosts on one Linux machine for the time of a
// test: systemd, sshd and apt run in systemd-nspawn containers, each with its own
// address, reboots and faults. It needs root and a few Debian packages; Available
// says what is missing, and New skips the test with that reason.
//
// A whole lab (mounts, networks, processes) lives inside namespaces whose first
// process ends when the test process ends, however that happens. So the kernel
// tears a lab down, and nothing of it is ever seen by the machine's own network.
//
// It is a test support package: nothing of the product imports it, and it imports
// nothing of the product, so that it can be the judge of the product.
package real
