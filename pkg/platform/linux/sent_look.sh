# Tells which files of a work lie in its folder; changes nothing. $1 nonce, $2 the folder,
# $3 the seconds that snapshot archives are asked for at most; then the files' names.

# digests: "digest name" of each that is there.
digests() {
	for name in "$@"; do
		path=$work/$name
		if [ -f "$path" ] && [ ! -h "$path" ]; then
			sum=$(sha256 "$path") && printf '%s %s\n' "$sum" "$name"
		fi
	done
	return 0
}

# asked: how far the archives were asked, in one word. What took too long was cut, and
# counts as over.
asked() {
	if [ ! -d "$work/asked" ]; then echo no
	elif [ -e "$work/asked/end" ]; then echo over
	else
		began=$(cat "$work/asked/began" 2>/dev/null)
		case $began in '' | *[!0-9]*) began=0 ;; esac
		if [ $(($(date +%s) - began)) -lt "$longest" ]; then echo going; else echo over; fi
	fi
}

main() {
	nonce=$1 work=$2 longest=$3
	shift 3
	open_report
	section asked 5 asked
	section sent 12000 digests "$@"
	close_report
}

main "$@"
