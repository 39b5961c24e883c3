# What the boot loader would start, as far as it is GRUB.

# loader_place finds GRUB's files and tools: $cfg and $tool are empty where there are none.
loader_place() {
	cfg='' tool=''
	for file in /boot/grub/grub.cfg /boot/grub2/grub.cfg /etc/grub2-efi.cfg; do
		[ -r "$file" ] && [ -z "$cfg" ] && cfg=$file
	done
	for name in grub grub2; do
		if [ -z "$tool" ] && command -v "$name-reboot" >/dev/null 2>&1 && command -v "$name-set-default" >/dev/null 2>&1 &&
			command -v "$name-editenv" >/dev/null 2>&1; then
			tool=$name
		fi
	done
	return 0
}

menu_lines() {
	grep -E '^[[:space:]]*((menuentry|submenu|linux|linux16|linuxefi)[[:space:]]|blscfg|[}]|set default=)' "$cfg"
}

# bls_lines: "entry ID" and its linux line, of each file of the boot loader specification.
bls_lines() {
	grep -q -E '^[[:space:]]*blscfg' "$cfg" || return 0
	# shellcheck disable=SC2010 # set -f: there are no globs here
	ls -1 /boot/loader/entries 2>/dev/null | grep -E '^[A-Za-z0-9._+~-]+[.]conf$' | head -n 100 | while read -r file; do
		printf 'entry %s\n' "${file%.conf}"
		grep -E '^linux[[:space:]]' "/boot/loader/entries/$file"
	done
	return 0
}

# entry_id REST: the id of a menuentry or submenu line, else its title.
entry_id() {
	case $1 in
	*"menuentry_id_option '"*) id=${1#*"menuentry_id_option '"} ;;
	*"--id '"*) id=${1#*"--id '"} ;;
	"'"*) id=${1#"'"} ;;
	*) id=\' ;;
	esac
	printf '%s\n' "${id%%"'"*}"
}

# entry_of RELEASE: the entry that always starts this kernel, whatever comes beside it:
# its name holds the release.
entry_of() {
	bls_lines | while read -r word rest; do
		case $word in
		entry) id=$rest ;;
		*) case $id:${rest%% *} in *"$1"*:*/"vmlinuz-$1") printf '%s\n' "$id" ;; esac ;;
		esac
	done
	outer='' inner=''
	menu_lines | while read -r word rest; do
		case $word in
		submenu) outer=$(entry_id "$rest") ;;
		menuentry) inner=$(entry_id "$rest") ;;
		'}') if [ -n "$inner" ]; then inner=''; else outer=''; fi ;;
		linux*)
			case $inner in *recovery* | *'>'*) continue ;; esac
			case $inner:${rest%% *} in
			*"$1"*:*/"vmlinuz-$1") printf '%s\n' "${outer:+$outer>}$inner" ;;
			esac
			;;
		esac
	done
}
