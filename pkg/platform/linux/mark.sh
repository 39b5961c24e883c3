# Writes or removes the marker of an open rollout. $1 write or remove, $2 the folder that
# holds lock and markers, $3 the marker's name, $4 the rollout as it stands in JSON, $5
# the marker as JSON.
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

main() {
	home=$2 file=$2/open/$3
	for folder in "$home" "$home/open"; do
		[ -h "$folder" ] && fail "$folder is a symbolic link; remove it"
	done
	case $1 in
	write) write "$4" "$5" ;;
	remove) remove "$4" ;;
	esac
}

main "$@"
