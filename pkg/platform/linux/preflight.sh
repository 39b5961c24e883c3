# Looks whether an installation may begin; changes nothing. $1 nonce, $2 apt or dnf,
# $3 seconds to wait for the package manager's lock, $4 how many package names
# follow; then the names, then the packages with their versions.

boot_files() {
	[ -r /boot ] || return 0
	# shellcheck disable=SC2012 # set -f: there are no globs here
	ls -1 /boot | head -n 500 | while read -r file; do
		case $file in
		*kdump* | *rescue*) ;;
		initrd.img-* | initramfs-* | vmlinuz-*) printf '%s %s\n' "$(wc -c <"/boot/$file")" "$file" ;;
		esac
	done
}

locks() {
	case $manager in
	apt) apt_locks ;;
	dnf) dnf_locks ;;
	esac
}

wait_for_lock() {
	left=$1
	while [ "$left" -gt 0 ] && [ -n "$(locks)" ]; do
		sleep 1
		left=$((left - 1))
	done
}

versions() {
	case $manager in
	apt) dpkg_versions "$@" ;;
	dnf) rpm_versions "$@" ;;
	esac
}

# first N WORDS… and rest N WORDS…: split what came as one list.
first() {
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		printf '%s\n' "$1"
		shift
		count=$((count - 1))
	done
}

main() {
	nonce=$1 manager=$2 seconds=$3 count=$4
	shift 4
	open_report
	names=$(first "$count" "$@")
	shift "$count"
	wait_for_lock "$seconds"
	section locks 20 locks
	section space 50 space
	section inodes 50 inodes
	section mounts 50 mounts
	section boot_files 200 boot_files
	# shellcheck disable=SC2086 # one word each
	section versions 12000 versions $names
	case $manager in
	apt)
		section audit 200 dpkg --audit
		section journal 20 dpkg_journal
		section plan 12000 apt_simulate "$@"
		;;
	dnf) section plan 12000 dnf_simulate "$@" ;;
	esac
	close_report
}

main "$@"
