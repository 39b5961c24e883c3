# Runs the command of a job for at most so long. $1 folder of the job, $2 seconds, then
# the command. When its time is over, its whole process group is ended, politely at
# first, and the file late says so. Its exit status is the command's.
# Only for jobs that ask for it. Simulated hosts know no kill and don't get this.
set -u
dir=$1 within=$2
shift 2
trap : HUP INT TERM 2>/dev/null || :

# In a session of its own, the command is the head of a process group of its own.
setsid "$@" </dev/null >"$dir/log" 2>&1 &
group=$!

end_group() {
	kill -TERM "-$group" 2>/dev/null
	grace=5
	while [ "$grace" -gt 0 ] && kill -0 "-$group" 2>/dev/null; do
		sleep 1
		grace=$((grace - 1))
	done
	kill -KILL "-$group" 2>/dev/null
}

# By the second, so that nothing sleeps on for long once the command has ended.
watch() {
	trap - HUP INT TERM
	left=$within
	while [ "$left" -gt 0 ]; do
		sleep 1
		[ -d "/proc/$group" ] || return 0
		left=$((left - 1))
	done
	: >"$dir/late"
	end_group
}
watch </dev/null >/dev/null 2>&1 &
watch=$!

# A signal to this shell ends a wait early; what it waited for is still there then.
while :; do
	wait "$group"
	code=$?
	kill -0 "$group" 2>/dev/null || break
done

# What the command left running on purpose stays, unless its time was over.
if ! [ -e "$dir/late" ]; then
	kill -KILL "$watch" 2>/dev/null
	wait "$watch" 2>/dev/null
	[ -e "$dir/late" ] && end_group
else
	wait "$watch"
fi
exit "$code"
