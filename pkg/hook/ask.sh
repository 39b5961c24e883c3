# Asks the user's own command until it says yes. $1 seconds to go on asking, $2 seconds
# that one answer may take, then the command. Prints what the last try printed, the last
# bytes of it, and as the last line its exit status. Read from stdin: nothing runs before
# the last line came.
#
# It ends when both times together are over, however slow the answers are: else whoever
# waits for it would have to cut it off, and could not tell a "no" from no answer.
LC_ALL=C; export LC_ALL
set -u
total=$1 each=$2
shift 2

# now counts seconds. The clock of day may be set meanwhile, that since the boot not.
now() {
	if read -r up _ 2>/dev/null </proc/uptime; then echo "${up%%.*}"; else date +%s; fi
}
began=$(now)

# What does not listen is killed, where timeout knows how.
kill=''
timeout -k 5 5 true >/dev/null 2>&1 && kill='-k 5'

within() {
	may=$((began + total + each - $(now)))
	[ "$may" -le "$each" ] || may=$each
	[ "$may" -ge 1 ] || may=1
	if command -v timeout >/dev/null 2>&1; then
		# shellcheck disable=SC2086 # two words, or none
		timeout $kill "$may" "$@"
	else
		"$@"
	fi
}

# once ends with a line break of its own: what the command prints need not.
once() {
	{
		code=0
		within "$@" 2>&1 </dev/null || code=$?
		printf '\n%s\n' "$code"
	} | tail -c 4096
}

said=$(once "$@")
while [ "${said##*"
"}" != 0 ] && [ "$(now)" -lt "$((began + total))" ]; do
	sleep 2
	said=$(once "$@")
done
printf 'patchring-ask 1\n%s\n' "$said"
