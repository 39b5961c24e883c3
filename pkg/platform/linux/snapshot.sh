# Fetches package files that the repositories no longer have from snapshot archives. $1
# the folder that holds all, $2 that of this work, $3 the seconds that it may take, $4 how
# many addresses follow; then those, and for each file its name, its digest, the most bytes
# that it may have, and its path below an address. A file that can't be had is no error.

# get ADDRESS SECONDS: prints what is there.
get() {
	if has curl; then
		curl -fsSL --proto =http,https --proto-redir =http,https --connect-timeout 15 --max-time "$2" -- "$1"
	elif has wget; then
		bounded "$2" wget -q -T 15 -O - -- "$1"
	elif has fetch; then
		bounded "$2" fetch -q -T 15 -o - "$1"
	elif has ftp && [ "$(uname -s)" = OpenBSD ]; then
		bounded "$2" ftp -V -o - "$1"
	else
		return 1
	fi
}
bounded() {
	seconds=$1
	shift
	if has timeout; then timeout "$seconds" "$@"; else "$@"; fi
}

# fetch_from ADDRESS NAME DIGEST MOST PATH: puts it into place only where the digest is right.
fetch_from() {
	left=$((until - $(date +%s)))
	[ "$left" -gt 0 ] || return 1
	part=$work/$2.part
	helper=/usr/lib/apt/apt-helper
	if ! has curl && ! has wget && [ -x "$helper" ]; then
		bounded "$left" "$helper" -o Acquire::Retries=0 download-file "${1%/}/$5" "$part" "SHA256:$3" >/dev/null 2>&1
	else
		get "${1%/}/$5" "$left" 2>/dev/null | head -c "$4" >"$part"
	fi
	sum=$(sha256 "$part" 2>/dev/null)
	if [ "$sum" = "$3" ] && mv -f "$part" "$work/$2"; then return 0; fi
	rm -f "$part"
	return 1
}

# fetch_all COUNT ADDRESSES… {NAME DIGEST MOST PATH}…: an address has no blanks.
fetch_all() {
	addresses=$(first "$@")
	shift "$(($1 + 1))"
	while [ $# -ge 4 ]; do
		if [ ! -f "$work/$1" ] || [ "$(sha256 "$work/$1")" != "$2" ]; then
			for address in $addresses; do
				fetch_from "$address" "$1" "$2" "$3" "$4" && break
			done
		fi
		shift 4
	done
}

main() {
	home=$1 work=$2 until=$(($(date +%s) + $3))
	shift 3
	private "${home%/*}" "$home" "$work" || exit 1
	# Of any number of these one goes to work.
	mkdir -m 700 "$work/asked" 2>/dev/null || exit 0
	date +%s >"$work/asked/began"
	fetch_all "$@"
	: >"$work/asked/end"
}

main "$@"
