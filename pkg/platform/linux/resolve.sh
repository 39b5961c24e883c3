# Asks the package manager what an installation would really change, and which versions
# of its packages can be had. Changes nothing. The first words are those of way; then come
# how many package names follow, the names, and the words of the installation.

main() {
	way "$@"
	shift 5
	count=$1
	shift
	names=$(first "$count" "$@")
	shift "$count"
	open_report
	section plan 12000 "${manager}_simulate" "$@"
	# shellcheck disable=SC2086 # one word each
	section available 60000 "${manager}_available" $names
	# shellcheck disable=SC2086
	section files 2000 ready $names
	close_report
}

main "$@"
