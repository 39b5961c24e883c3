# Looks what the boot loader would start; changes nothing. The words are those of way.

# words of grub-probe; nothing where it can't tell.
grub_probe() { "$tool-probe" "--target=$1" "${cfg%/*}" 2>/dev/null </dev/null || echo unknown; }

loader() {
	say boot_id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
	say kernel "$(uname -r)"
	say cfg "$cfg"
	say tool "$tool"
	say default "$(grep -s '^GRUB_DEFAULT=' /etc/default/grub)"
	[ -n "$cfg" ] && [ -n "$tool" ] || return 0
	say fs "$(grub_probe fs)"
	say abstraction "$(grub_probe abstraction)"
	grep -q -F 'next_entry' "$cfg" && say once yes
	grep -q -E '(^|[[:space:]])panic=-?[1-9]' /proc/cmdline && say panic restarts
	return 0
}

loader_env() {
	[ -n "$tool" ] || return 0
	"$tool-editenv" list
}

main() {
	way "$@"
	open_report
	loader_place
	section loader 20 loader
	section kernels 200 kernels
	section env 50 loader_env
	if [ -n "$cfg" ]; then
		section menu 1000 menu_lines
		section bls 500 bls_lines
	fi
	close_report
}

main "$@"
