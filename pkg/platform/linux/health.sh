# Looks whether the package manager is in order; changes nothing. The words are those of way.

main() {
	way "$@"
	open_report
	section locks 20 "${manager}_locks"
	"${manager}_health"
	close_report
}

main "$@"
