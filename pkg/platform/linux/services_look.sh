# Looks which services still use replaced files; changes nothing. $1 nonce, $2 the words
# of $never as one.

main() {
	nonce=$1 never=$2
	open_report
	section judged 1000 judged
	close_report
}

main "$@"
