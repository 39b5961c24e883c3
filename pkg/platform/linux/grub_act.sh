# Tells GRUB what to start. $1 once: $2 the next time and $3 ever after; former: $2 both
# times; keep: $2 from now on. $4 the name of this order. What the default was is written
# down, so that one that means "the newest" comes back as such.
LC_ALL=C; export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH
set -u -f
home=/var/lib/patchring
note=$home/boot_entry

fail() {
	printf 'patchring: %s\n' "$1" >&2
	exit 1
}

# named RELEASE: its entry, or the end.
named() {
	found=$(entry_of "$1" | head -n 1)
	[ -n "$found" ] || fail "the boot loader's menu has no entry for kernel $1 alone"
}

remember() {
	[ -h "$home" ] && fail "$home is a symbolic link; remove it"
	# shellcheck disable=SC2174 # what is above it is the system's own
	mkdir -p -m 700 "$home" || fail "can't make $home"
	[ -r "$note" ] && grep -q -F -x -e "order=$order" "$note" && return 0
	rm -f "$note.new"
	{ printf 'order=%s\n' "$order" && "$tool-editenv" list | grep '^saved_entry='; } >"$note.new"
	mv -f "$note.new" "$note" || fail "can't write to $home"
}

arm() {
	named "$1"
	once=$found
	named "$2"
	default=$found
	remember
	"$tool-set-default" "$default" || fail "$tool-set-default failed"
	"$tool-reboot" "$once" || fail "$tool-reboot failed"
	sync
}

# keep gives back what means "the newest", and else names the kernel.
keep() {
	[ "$(uname -r)" = "$1" ] || fail "kernel $1 does not run"
	was=none
	if [ -r "$note" ] && grep -q -F -x -e "order=$order" "$note"; then
		was=$(grep '^saved_entry=' "$note" | head -n 1)
		was=${was#saved_entry=}
	fi
	case $was in
	'') "$tool-editenv" - unset saved_entry ;;
	0) "$tool-set-default" 0 ;;
	*)
		named "$1"
		"$tool-set-default" "$found"
		;;
	esac || fail "$tool-set-default failed"
	sync
}

main() {
	order=$4
	loader_place
	if [ -z "$cfg" ] || [ -z "$tool" ]; then fail "there is no GRUB that can be told what to start"; fi
	case $1 in
	once) arm "$2" "$3" ;;
	former) arm "$2" "$2" ;;
	keep) keep "$2" ;;
	esac
}

main "$@"
