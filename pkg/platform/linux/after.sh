# Looks what an installation came to; changes nothing. $1 nonce, $2 apt or dnf,
# $3 the job's log, $4… the packages.

versions() {
	case $manager in
	apt) dpkg_versions "$@" ;;
	dnf) rpm_versions "$@" ;;
	esac
}

# Files of the admin that were kept, and what went wrong though the package manager
# says that all is well: scripts of packages that failed, and newer versions taken back.
remarks() {
	[ -r "$log" ] || return 0
	grep -E "^Configuration file '|scriptlet failed|^Error in [A-Z]+ scriptlet|^warning: .* (created|saved) as /|^  Downgrading +: |^patchring: " "$log"
	return 0
}

main() {
	nonce=$1 manager=$2 log=$3
	shift 3
	open_report
	section versions 12000 versions "$@"
	section remarks 100 remarks
	close_report
}

main "$@"
