# Learns everything about a Linux host in one go; changes nothing but, on request,
# the package lists. $1 nonce, $2 "refresh" or "read", $3 "offers" or "", $4… packages
# to ask about. The functions of the package managers stand before this; $known names them, and
# $marks the files that only appliances have.
# Read from stdin: nothing runs before the last line came.

identity() {
	say uid "$uid"
	say machine "$(uname -m)"
	say kernel "$(uname -r)"
	say build "$(uname -v)"
	say hostname "$(uname -n)"
	say boot_id "$(boot_id)"
	say now "$(date +%s)"
	say container "$(container)"
	[ -d /run/systemd/system ] && say init systemd && say system "$(systemctl is-system-running 2>/dev/null </dev/null)"
	say manager "$manager"
	seen=
	for f in $marks; do
		[ -e "$f" ] && seen="$seen $f"
	done
	[ -z "$seen" ] || say marks "$seen"
	[ -r /etc/debian_version ] && say debian_version "$(cat /etc/debian_version)"
	if [ -r /boot ]; then say boot readable; else say boot hidden; fi
}

os_release() {
	cat /etc/os-release 2>/dev/null && return 0
	case $(uname -s) in
	FreeBSD | OpenBSD) release=$(uname -r) && printf 'ID=%s\nVERSION_ID=%s\n' "$(uname -s)" "${release%%-*}" ;;
	*) cat /usr/lib/os-release ;;
	esac
}

# stamp FILES…: when each was last changed, in seconds.
stamp() {
	for f in "$@"; do
		[ -e "$f" ] && date -r "$f" +%s 2>/dev/null
	done
	return 0
}

# offers: which versions of these packages can be had.
offers() {
	section available 60000 "${manager}_available" "$@"
	section files 2000 ready "$@"
}

probe() {
	"${manager}_probe" "$@"
	[ $# -eq 0 ] || section packages 12000 "${manager}_versions" "$@"
	[ $# -eq 0 ] || [ -z "$offers" ] || offers "$@"
	"${manager}_signs"
}

main() {
	nonce=$1 mode=$2 offers=$3
	shift 3
	manager=$(manager) uid=$(id -u)
	open_report
	section identity 50 identity
	section os_release 100 os_release
	section mounts 50 mounts
	section space 50 space
	section inodes 50 inodes
	section open 40 markers /var/lib/patchring
	case " $known " in *" $manager "*) probe "$@" ;; esac
	section kernels 200 kernels
	section reboot_flag 200 reboot_flag
	section livepatch 20 livepatch
	[ "$uid" = 0 ] || section hidden 200 hidden
	close_report
}

main "$@"
