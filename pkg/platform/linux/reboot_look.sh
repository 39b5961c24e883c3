# Looks whether the host has restarted, and whether it has to; changes nothing. The
# first words are those of way, then the order that reboot.sh wrote down.

note=/var/lib/patchring/reboot

# alive: how many seconds this system has been up: the kernel of a container is older.
alive() {
	[ -r /proc/uptime ] && [ -r /proc/1/stat ] || return 1
	read -r up _ </proc/uptime
	stat=$(cat /proc/1/stat)
	hz=100
	has getconf && hz=$(getconf CLK_TCK)
	# shellcheck disable=SC2086 # its fields
	set -- ${stat##*) }
	[ $# -gt 19 ] || return 1
	shift 19
	echo $((${up%%.*} - $1 / hz))
}

# steady waits until this boot has lasted a while: a host that goes down again and again
# cuts the look off here.
steady() {
	age=$(alive 2>/dev/null) || return 0
	case $age in '' | *[!0-9]*) return 0 ;; esac
	[ "$age" -ge 15 ] || sleep $((15 - age))
}

# up: a clock that nobody sets, in whole seconds.
up() {
	[ -r /proc/uptime ] && read -r seconds _ </proc/uptime && printf '%s\n' "${seconds%%.*}"
}

signs() {
	say boot_id "$(boot_id)"
	say kernel "$(uname -r)"
	say build "$(uname -v)"
	say container "$(container)"
	say up "$(up)"
	if [ -r /boot ]; then say boot readable; else say boot hidden; fi
	[ -d /run/systemd/system ] && say running "$(systemctl is-system-running 2>/dev/null </dev/null)"
	return 0
}

order() {
	[ -r "$note" ] && [ ! -h "$note" ] || return 0
	grep -q -F -x -e "order=$id" "$note" && cat "$note"
	return 0
}

failed_units() {
	[ -d /run/systemd/system ] || return 0
	systemctl list-units --failed --no-legend --plain --no-pager --full
}

inhibitors() {
	has systemd-inhibit && systemd-inhibit --list --no-legend --no-pager 2>/dev/null
	return 0
}

main() {
	way "$@"
	shift 5
	id=$1
	steady
	open_report
	section signs 20 signs
	section kernels 200 kernels
	section reboot_flag 200 reboot_flag
	section livepatch 20 livepatch
	section order 500 order
	section failed 200 failed_units
	section inhibitors 20 inhibitors
	section locks 20 "${manager}_locks"
	"${manager}_signs"
	close_report
}

main "$@"
