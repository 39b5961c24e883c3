# Looks what an installation came to; changes nothing. The first words are those of way;
# then come the job's log and the packages.

# Files of the admin that were kept, and what went wrong though the package manager
# says that all is well: scripts of packages that failed, and newer versions taken back.
remarks() {
	[ -r "$log" ] || return 0
	grep -E "^Configuration file '|scriptlet failed|^Error in [A-Z]+ scriptlet|^warning: .* (created|saved) as /|^  Downgrading +: |^patchring: " "$log"
	return 0
}

# beside: configuration files that were left beside those in use since the job began.
# Packages bring times of their own, so what counts is when the file came to be here. A
# find that can't tell that (busybox) finds none.
beside() {
	[ -e "${log%/*}/started/pid" ] || return 0
	find /etc -xdev -type f "(" -name "*.dpkg-dist" -o -name "*.dpkg-new" -o -name "*.dpkg-old" -o -name "*.ucf-dist" -o -name "*.rpmnew" \
		-o -name "*.rpmsave" -o -name "*.rpmorig" -o -name "*.pacnew" -o -name "*.pacsave" -o -name "*.apk-new" ")" \
		-cnewer "${log%/*}/started/pid" 2>/dev/null | head -n 40
	return 0
}

main() {
	way "$@"
	shift 5
	log=$1
	shift
	open_report
	section versions 12000 "${manager}_versions" "$@"
	section remarks 100 remarks
	section beside 50 beside
	close_report
}

main "$@"
