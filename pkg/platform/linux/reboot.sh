# Restarts the host in two seconds, so that this answer still arrives. $1 the boot
# that is to end, or "": any; a host that has restarted since is left alone. $2 the name
# of this order: one that was carried out, or is on its way, is not given again. $3 the package manager, and $4
# for how many seconds its lock is waited for. What looks stands before this, so that
# NAME_locks can be asked: a reboot would cut somebody else's transaction.
LC_ALL=C; export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH
set -u -f
home=/var/lib/patchring
note=$home/reboot

by_timer() {
	[ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 || return 1
	# Already on its way, by an order before this one.
	systemctl is-active --quiet patchring-reboot.timer >/dev/null 2>&1 </dev/null && return 0
	# Without AccuracySec the timer may be a minute late.
	systemd-run --quiet --collect --unit=patchring-reboot --on-active=2 --timer-property=AccuracySec=100ms \
		systemctl reboot >/dev/null 2>&1 </dev/null
}

by_hand() {
	text='sleep 2; reboot || shutdown -r now'
	# There reboot alone ends services without their scripts.
	case $(uname -s) in *BSD) text='sleep 2; shutdown -r now || reboot' ;; esac
	if command -v setsid >/dev/null 2>&1; then
		setsid sh -c "$text" </dev/null >/dev/null 2>&1 &
	elif command -v nohup >/dev/null 2>&1; then
		nohup sh -c "$text" </dev/null >/dev/null 2>&1 &
	else
		sh -c "$text" </dev/null >/dev/null 2>&1 &
	fi
}

# state is what the host is compared with when it is back.
state() {
	printf 'order=%s\nboot_id=%s\n' "$order" "$now"
	[ -r /proc/uptime ] && read -r up _ </proc/uptime && printf 'up=%s\n' "${up%%.*}"
	# shellcheck disable=SC2010 # set -f: there are no globs here
	[ -r /boot ] && ls -1 /boot | grep '^vmlinuz-' | head -n 200 | sed 's/^/kernel=/'
	[ -d /run/systemd/system ] || return 0
	systemctl list-units --failed --no-legend --plain --no-pager --full 2>/dev/null </dev/null | head -n 200 | while read -r unit _; do
		printf 'failed=%s\n' "$unit"
	done
	return 0
}

remember() {
	if [ -h "$home" ]; then
		echo "$home is a symbolic link; remove it" >&2
		return 1
	fi
	# shellcheck disable=SC2174 # what is above it is the system's own
	mkdir -p -m 700 "$home" && rm -f "$note.new" && state >"$note.new" && mv -f "$note.new" "$note"
}

# has_order: by a command before this one, which may have waited as well.
has_order() {
	[ -r "$note" ] && grep -q -F -x -e "order=$order" "$note" || return 1
	echo "the host has its order already"
}

# quiet waits until nobody holds the package manager: a timer may have begun something
# since the last step.
quiet() {
	left=$1
	while holders=$("${manager}_locks" | head -n 20); [ -n "$holders" ]; do
		if [ "$left" -le 0 ]; then
			printf 'the package manager is locked by %s; the host was not restarted\n' "$(printf '%s\n' "$holders" | head -n 1)" >&2
			return 75
		fi
		sleep 1
		left=$((left - 1))
	done
}

main() {
	now=$(boot_id) order=$2 manager=$3
	if [ -n "$1" ] && [ "$now" != "$1" ]; then
		echo "the host has restarted already"
		return 0
	fi
	has_order && return 0
	quiet "$4" || return
	has_order && return 0
	remember || return 1
	sync
	quiet 0 || { rm -f "$note"; return 75; }
	by_timer || by_hand
}

main "$@"
