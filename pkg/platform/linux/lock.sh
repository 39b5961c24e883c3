# Takes or gives back this host's lock. $1 take or give, $2 the folder that holds
# it, $3 the owner as JSON, $4 the rollout as it stands in that JSON.
LC_ALL=C; export LC_ALL
set -u

fail() {
	printf 'patchring: %s\n' "$1" >&2
	exit 1
}

take() {
	[ -h "$home" ] && fail "$home is a symbolic link; remove it"
	# shellcheck disable=SC2174 # what is above it is the system's own
	mkdir -p -m 700 "$home" || fail "can't make $home"
	# The one thing that decides: of any number of mkdirs one succeeds. Who holds it
	# otherwise, the look tells.
	mkdir -m 700 "$lock" 2>/dev/null || { [ -d "$lock" ] && return 0; fail "can't make $lock"; }
	printf '%s\n' "$1" >"$lock/owner.new" && mv -f "$lock/owner.new" "$lock/owner.json" && return 0
	rm -f "$lock/owner.new"
	rmdir "$lock"
	fail "can't write to $lock"
}

give() {
	[ -d "$lock" ] || return 0
	grep -q -F -e "\"rollout\":$1" "$lock/owner.json" || fail "the lock is another's"
	# Renamed first: a lock is whole or gone, whenever this is cut.
	rm -rf "$lock.old"
	mv "$lock" "$lock.old" && rm -rf "$lock.old"
}

main() {
	home=$2 lock=$2/lock
	case $1 in
	take) take "$3" ;;
	give) give "$4" ;;
	esac
}

main "$@"
