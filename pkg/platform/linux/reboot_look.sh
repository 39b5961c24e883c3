# Looks whether the host has restarted, and whether it has to; changes nothing.
# $1 nonce, $2 apt or dnf.

signs() {
	say boot_id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
	say kernel "$(uname -r)"
	say build "$(uname -v)"
	say container "$(container)"
	if [ -r /boot ]; then say boot readable; else say boot hidden; fi
	[ -d /run/systemd/system ] && say running "$(systemctl is-system-running 2>/dev/null </dev/null)"
	return 0
}

main() {
	nonce=$1 manager=$2
	open_report
	section signs 20 signs
	section kernels 200 kernels
	section reboot_flag 200 reboot_flag
	case $manager in
	apt) section image 5 running_image ;;
	dnf) section needs_restarting 200 needs_restarting ;;
	esac
	close_report
}

main "$@"
