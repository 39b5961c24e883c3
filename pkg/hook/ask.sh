# Asks the user's own command until it says yes. $1 seconds to go on asking, $2 seconds
# that one answer may take, then the command. Prints what the last try printed, the last
# bytes of it, and as the last line its exit status. Read from stdin: nothing runs before
# the last line came.
LC_ALL=C; export LC_ALL
set -u
total=$1 each=$2
shift 2

within() {
	if command -v timeout >/dev/null 2>&1; then
		timeout "$each" "$@"
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
"}" != 0 ] && [ "$total" -gt 0 ]; do
	sleep 2
	total=$((total - 2))
	said=$(once "$@")
done
printf 'patchring-ask 1\n%s\n' "$said"
