# Asks the package manager what an installation would really change. Changes
# nothing. $1 nonce, $2 apt or dnf, $3… packages with their versions.

main() {
	nonce=$1 manager=$2
	shift 2
	open_report
	case $manager in
	apt) section plan 12000 apt_simulate "$@" ;;
	dnf) section plan 12000 dnf_simulate "$@" ;;
	esac
	close_report
}

main "$@"
