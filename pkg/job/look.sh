# Tells how a job stands. $1 place of all jobs, $2 job, $3 seconds to wait for its
# end. Changes nothing. Read from stdin: nothing runs before the last line came.
place=$1 id=$2 wait=$3
state=unknown
code=''
dir=/nonexistent

# Only who may look into a folder can say that something is not there, and only what
# nobody else could have put there is believed.
visible() {
	place "$place" || return 1
	dir=$base/$id
	for folder in "$home" "$base" "$dir"; do
		[ -h "$folder" ] && { why="$folder is a symbolic link"; return 1; }
		[ -e "$folder" ] || { state=absent; return 1; }
		if ! [ -d "$folder" ] || ! [ -r "$folder" ] || ! [ -x "$folder" ]; then
			why="$folder can't be read"
			return 1
		fi
		others "$folder"
		[ -z "$why" ] || return 1
	done
}

# born prints when process $1 began, as in run.sh; nothing if it is gone.
born() {
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "${1:-Z}" = Z ] || echo "${20:-}"
}

# alive: the number alone may be another process by now.
alive() {
	read -r pid began 2>/dev/null <"$dir/started/pid" || pid='' began=''
	case $pid in
	'' | *[!0-9]*) pid='' ;;
	*)
		# Without that time there is its command line.
		if [ -n "$began" ]; then
			[ "$began" = "$(born "$pid")" ] && return 0
		else
			grep -q -F -e "$dir/run.sh" "/proc/$pid/cmdline" 2>/dev/null && return 0
			# A BSD has no /proc.
			[ -d /proc/self ] || { ps -ww -o args= -p "$pid" 2>/dev/null | grep -q -F -e "$dir/run.sh" && return 0; }
		fi
		;;
	esac
	[ "$me" = 0 ] && command -v systemctl >/dev/null 2>&1 && systemctl is-active --quiet "patchring-$id.service" >/dev/null 2>&1 </dev/null
}

finished() {
	[ -f "$dir/rc" ] || return 1
	state=exited code=$(cat "$dir/rc")
	case $code in *' late') state=timed_out code='' ;; esac
}

assess() {
	state=unknown why=''
	visible || return 0
	finished && return 0
	[ -d "$dir/started" ] || { state=claimed; return 0; }
	if [ -e "$dir/started/revoked" ]; then
		state=revoked why="it had not begun in time and was called off; nothing ran"
		return 0
	fi
	then=$(cat "$dir/started/boot_id" 2>/dev/null)
	if [ -n "$then" ] && [ -n "$boot" ] && [ "$then" != "$boot" ]; then
		state=interrupted why="the host restarted while it ran"
	elif alive; then
		state=running
	elif ! finished; then # it may have ended between the two looks
		state=interrupted why="its process is gone and left no exit status"
	fi
}

changed() {
	[ -f "$dir/rc" ] || { [ "$state" = claimed ] && [ -d "$dir/started" ]; } ||
		{ [ "$state" = running ] && [ -n "${pid:-}" ] && [ -d /proc/self ] && [ ! -d "/proc/$pid" ]; }
}

# until_changed waits $1 seconds with what the shell itself can test; at first by
# tenths of a second, where sleep knows them.
until_changed() {
	left=$1 tenths=0
	while [ "$left" -gt 0 ]; do
		changed && return 0
		if [ "$tenths" -lt 9 ] && sleep 0.1 2>/dev/null; then
			tenths=$((tenths + 1))
			continue
		fi
		sleep 1
		left=$((left - 1))
	done
}

report() {
	echo "patchring-job 1"
	echo "state $state"
	echo "code $code"
	echo "boot $boot"
	echo "why $why"
	echo "log"
	[ -f "$dir/log" ] && tail -c 8192 "$dir/log"
	return 0
}

main() {
	case $id in '' | *[!a-z0-9-]*) echo "not a job: $id" >&2; exit 64 ;; esac
	case $wait in '' | *[!0-9]*) wait=0 ;; esac
	boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
	assess
	case $state in
	claimed) until_changed "$((wait < 5 ? wait : 5))"; assess ;;
	interrupted) sleep 2; assess ;; # it may be just beginning, or called off: started/ is there, its files not yet
	esac
	[ "$state" = running ] && until_changed "$wait" && assess
	report
}

main
