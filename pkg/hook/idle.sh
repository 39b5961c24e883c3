# Tells whether a host is out of use: whether anybody from outside is connected by TCP to
# one of the listeners of its own network namespace. $1 seconds to wait for it. Prints "idle", "busy COUNT PORT", or "unknown"
# and why. Changes nothing. Read from stdin: nothing runs before the last line came.
#
# The SSH server's own port does not count: we are connected to it. Nor does a peer at
# a loopback address: that is a part of this host, such as its own database's client.
# What the kernel hands on, to containers, to guests or by IPVS, is in no table that
# anybody may read: where there are signs of it, nobody can tell.
LC_ALL=C; export LC_ALL
set -u
total=$1

unknown() {
	printf 'patchring-idle 1\nunknown %s\n' "$1"
	exit 0
}

# now counts seconds. The clock of day may be set meanwhile, that since the boot not.
now() {
	if read -r up _ 2>/dev/null </proc/uptime; then echo "${up%%.*}"; else date +%s; fi
}

# member: the interface is a port of a bridge.
member() { [ -e "$1/master" ] || [ -h "$1/master" ]; }

# A bridge such as docker0 hands nothing on while nothing is attached to it. What is
# attached has names of these kinds.
no_guests() {
	for interface in /sys/class/net/*; do
		name=${interface##*/}
		case $name in
		veth* | ve-* | vb-* | cali* | cni* | cilium* | flannel* | lxc* | podman* | kube-* | weave* | antrea* | ovn*) ;;
		vnet* | tap*) member "$interface" || continue ;;
		*) continue ;;
		esac
		unknown "connections to containers or guests can't be seen, and it has the network interface $name"
	done
}

# no_handing_on: the table of IPVS is anybody's to read, that of all connections mostly
# root's alone. Who answers from another address than was asked was handed on to.
no_handing_on() {
	if [ -e /proc/net/ip_vs ]; then
		grep -qE '^ *(TCP|UDP|SCTP|FWM) ' /proc/net/ip_vs 2>/dev/null
		[ $? = 1 ] || unknown "IPVS hands connections on, which can't be seen"
	fi
	if [ -r /proc/net/nf_conntrack ]; then
		handed=$(grep ' dst=' /proc/net/nf_conntrack 2>/dev/null | grep -v ' dst=\([^ ]*\) .* src=\1 ' | head -n 1)
		[ -z "$handed" ] || unknown "it hands connections on to other addresses"
	fi
}

# Of "address port address port", as sshd tells of the connection that runs this.
own=${SSH_CONNECTION:-}
own=${own##* }
case $own in
'' | *[!0-9]*) unknown "SSH_CONNECTION does not tell the SSH server's port" ;;
esac
own=$(printf '%04X' "$own")

# The kernel prints an address as it lies in memory: backwards on most machines. Where
# that is not sure, every peer counts.
case $(uname -m) in
x86_64 | i?86 | aarch64 | arm*l | ppc64le | riscv64 | loongarch64) near='??????7F' ;;
*) near='-' ;;
esac

# lines prints the lines of state $1 as "LOCALPORT PEER". 1 is grep's word for none.
lines() {
	for table in tcp tcp6; do
		[ "$table" = tcp ] || [ -e "/proc/net/$table" ] || continue # a kernel without IPv6
		rows=$(grep -E "^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ $1 " "/proc/net/$table" 2>/dev/null) || [ $? = 1 ] || return 1
		[ -n "$rows" ] || continue
		printf '%s\n' "$rows" | while read -r _ local peer _; do echo "${local##*:} ${peer%:*}"; done
	done
}

# count sets busy and port. The listeners are read first: what connects to one that is
# new is seen in the next round.
count() {
	busy=0 port=''
	listening=" $(lines 0A | cut -d ' ' -f 1 | sort -u | tr '\n' ' ')"
	case $listening in *" $own "*) ;; *) return 1 ;; esac
	peers=$(lines 01) || return 1
	while read -r at peer; do
		case $listening in *" $at "*) ;; *) continue ;; esac
		[ "$at" != "$own" ] || continue
		# shellcheck disable=SC2254 # it is a pattern
		case $peer in
		$near | 0000000000000000FFFF0000$near | 00000000000000000000000001000000) continue ;;
		esac
		busy=$((busy + 1)) port=$at
	done <<-END
		$peers
	END
	return 0
}

# A moment without connections is no proof: those of a busy service may be short. So
# nobody must have been seen several times in a row.
no_guests
no_handing_on
over=$(($(now) + total))
quiet=0
while :; do
	count || unknown "the table of connections can't be read, or does not show the SSH server"
	if [ "$busy" -eq 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
	[ "$quiet" -ge 5 ] && break
	[ "$(now)" -lt "$over" ] || [ "$quiet" -gt 0 ] || break
	sleep 1
done
echo 'patchring-idle 1'
if [ "$busy" -eq 0 ]; then
	echo idle
else
	echo "busy $busy $port"
fi
