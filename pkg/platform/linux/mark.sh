# Writes or removes the marker of an open rollout. $1 write or remove, $2 the folder that
# holds lock and markers, $3 the marker's name, $4 the rollout as it stands in JSON, $5
# the marker as JSON, $6 what the names of the rollout's works begin with.
LC_ALL=C; export LC_ALL
set -u

fail() {
	printf 'patchring: %s\n' "$1" >&2
	exit 1
}

# write is for who holds the lock: so only one writes at a time.
write() {
	grep -q -F -e "\"rollout\":$1" "$home/lock/owner.json" || fail "the lock is not ours"
	mkdir -m 700 "$home/open" 2>/dev/null
	[ -d "$home/open" ] || fail "can't make $home/open"
	[ -d "$file" ] && fail "$file is a folder; remove it"
	printf '%s\n' "$2" >"$file.new" && mv -f "$file.new" "$file" && return 0
	rm -f "$file.new"
	fail "can't write to $home"
}

# remove holds no lock. A rollout that begins here between its two commands loses its
# marker, never its lock.
remove() {
	[ -f "$file" ] || return 0
	grep -q -F -e "\"rollout\":$1" "$file" || return 0
	rm -f "$file" || fail "can't remove $file"
}

# forget removes the package files that were kept on the host for this rollout: its works
# are named after it, with six hexadecimal digits of the host, and -t and the try; .new is
# what a cut job leaves.
forget() {
	[ -n "$1" ] || return 0
	for store in "$home/kept" "$home/sent"; do
		if [ -h "$store" ] || [ ! -d "$store" ]; then continue; fi
		# shellcheck disable=SC2012 # other names are none of ours
		ls -1 "$store" | while read -r work; do
			name=${work%.new}
			case ${name#"$1-"} in
			"$name") ;;
			[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]) rm -rf "${store:?}/$work" ;;
			[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]-t*)
				case ${name##*-t} in '' | *[!0-9]*) ;; *) rm -rf "${store:?}/$work" ;; esac
				;;
			esac
		done
		rmdir "$store" 2>/dev/null
	done
	return 0
}

main() {
	home=$2 file=$2/open/$3
	for folder in "$home" "$home/open"; do
		[ -h "$folder" ] && fail "$folder is a symbolic link; remove it"
	done
	case $1 in
	write) write "$4" "$5" ;;
	remove)
		forget "$6"
		remove "$4"
		;;
	esac
}

main "$@"
