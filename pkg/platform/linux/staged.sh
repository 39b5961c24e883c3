# Tells which package files an installation would take, with their digests, and which
# outgoing ones are kept; changes nothing. The first words are those of way; then come the
# folder of a job without whose end nothing is told, or "", the folder of what is kept,
# that of what was sent, how many package names follow, the names, and the words of the
# installation.

# given: "digest path" of the words that are files.
given() {
	for word in "$@"; do
		case $word in
		/*)
			if [ -f "$word" ]; then
				sum=$(sha256 "$word") && printf '%s %s\n' "$sum" "$word"
			fi
			;;
		esac
	done
	return 0
}

staged() { "${manager}_staged" "$@" | with_digest; }

main() {
	way "$@"
	shift 5
	job=$1 keep=$2 sent=$3 count=$4
	shift 4
	open_report
	names=$(first "$count" "$@")
	shift "$count"
	if [ -z "$job" ] || [ -e "$job/rc" ]; then
		section staged 12000 staged "$@"
		section given 12000 given "$@"
		section sent 12000 package_files "$sent"
		section kept 12000 package_files "$keep"
		# shellcheck disable=SC2086 # one word each
		section versions 12000 "${manager}_versions" $names
	fi
	close_report
}

main "$@"
