# Restarts the host in two seconds, so that this answer still arrives. $1 the boot
# that is to end: a host that has restarted since is left alone.
LC_ALL=C; export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH
set -u

by_timer() {
	[ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 || return 1
	# Already on its way, by an order before this one.
	systemctl is-active --quiet patchring-reboot.timer >/dev/null 2>&1 </dev/null && return 0
	# Without AccuracySec the timer may be a minute late.
	systemd-run --quiet --unit=patchring-reboot --on-active=2 --timer-property=AccuracySec=100ms \
		systemctl reboot >/dev/null 2>&1 </dev/null
}

by_hand() {
	text='sleep 2; reboot || shutdown -r now'
	if command -v setsid >/dev/null 2>&1; then
		setsid sh -c "$text" </dev/null >/dev/null 2>&1 &
	elif command -v nohup >/dev/null 2>&1; then
		nohup sh -c "$text" </dev/null >/dev/null 2>&1 &
	else
		sh -c "$text" </dev/null >/dev/null 2>&1 &
	fi
}

main() {
	now=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
	if [ "$now" != "$1" ]; then
		echo "the host has restarted already"
		return 0
	fi
	sync
	by_timer || by_hand
}

main "$@"
