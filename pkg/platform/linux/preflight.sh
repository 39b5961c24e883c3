# Looks whether an installation may begin; changes nothing. The first words are those of
# way; then come the seconds to wait for the package manager's lock, how many package
# names follow, the names, and the words of the installation.

boot_files() {
	[ -r /boot ] || return 0
	# shellcheck disable=SC2012 # set -f: there are no globs here
	ls -1 /boot | head -n 500 | while read -r file; do
		case $file in
		*kdump* | *rescue*) ;;
		initrd.img-* | initrd-* | initramfs-* | vmlinuz-*) printf '%s %s\n' "$(wc -c <"/boot/$file")" "$file" ;;
		esac
	done
}

wait_for_lock() {
	left=$1
	while [ "$left" -gt 0 ] && [ -n "$("${manager}_locks")" ]; do
		sleep 1
		left=$((left - 1))
	done
}

main() {
	way "$@"
	shift 5
	seconds=$1 count=$2
	shift 2
	open_report
	names=$(first "$count" "$@")
	shift "$count"
	wait_for_lock "$seconds"
	section locks 20 "${manager}_locks"
	section space 50 space
	section inodes 50 inodes
	section mounts 50 mounts
	section boot_files 200 boot_files
	# shellcheck disable=SC2086 # one word each
	section versions 12000 "${manager}_versions" $names
	"${manager}_health"
	section plan 12000 "${manager}_simulate" "$@"
	close_report
}

main "$@"
