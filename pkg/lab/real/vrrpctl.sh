#!/bin/sh
# What an admin writes to take one of two load balancers out of use: vrrpctl
# drain|ready|idle. It works on its own host. Every word but idle is logged.
set -eu
case ${1-} in
drain) priority=100 ;;
ready) priority=0 ;;
idle)
	if ip -4 -oneline address show dev host0 | grep -q ' @ADDRESS@/'; then
		echo 'vrrpctl: nobody else has taken the address' >&2
		exit 1
	fi
	sessions=$(curl --silent --fail 'http://127.0.0.1:8404/;csv' | grep '^shop,FRONTEND,' | cut -d, -f5)
	[ "$sessions" = 0 ]
	exit
	;;
*)
	echo 'usage: vrrpctl drain|ready|idle' >&2
	exit 2
	;;
esac
echo "$1" >>/var/log/vrrpctl
echo "$priority" >/etc/keepalived/drained
