# Names the index files of the repositories that lie on the host, by the manager's own
# function; one without it has no section. The words are those of way.

main() {
	way "$@"
	open_report
	has "${manager}_indexes" && section indexes 5000 "${manager}_indexes"
	close_report
}

main "$@"
