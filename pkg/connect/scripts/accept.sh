# $1 a file that has arrived, $2 the SHA-256 it must have, $3 where it belongs.
# The target is replaced only by what matches.
got=$(sum_of "$1") || give_up "$1" $?
if [ "$got" != "$2" ]; then
	printf 'sha256:%s\n' "$got"
	give_up "$1" 43
fi
mv -f "$1" "$3" || give_up "$1" 40
