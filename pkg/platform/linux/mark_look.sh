# Looks at one marker; changes nothing. $1 nonce, $2 the folder, $3 the marker's name.

main() {
	nonce=$1
	open_report
	section open 5 markers "$2" "$3"
	close_report
}

main "$@"
