# Starts a job, or attaches to it. $1 place of all jobs, $2 job, $3 logs to keep,
# $4 text of run.sh, $5 text of bound.sh, absent where the job may take as long as it
# takes. On stdin: the spec. Prints "started" or "attached".
# The command runs at most once, whatever happens here: see run.sh.
place=$1 id=$2 keep=$3 run=$4 bound=${5:-}

fail() { # status, message
	printf 'patchring: %s\n' "$2" >&2
	exit "$1"
}

# folder makes a folder for who runs this alone. It never follows a symbolic link:
# nobody else could have put one there, and nobody would for good.
folder() {
	[ -h "$1" ] && fail 67 "$1 is a symbolic link; remove it"
	mkdir -m 700 "$1" 2>/dev/null || [ -d "$1" ] || fail 73 "can't make the folder $1: $(mkdir "$1" 2>&1)"
	[ -h "$1" ] && fail 67 "$1 is a symbolic link; remove it"
	others "$1"
	[ -z "$why" ] || fail 67 "$why"
}

# bounds writes bound.sh where it works: it ends a session, and looks into /proc. Else
# run.sh takes timeout(1), which on some hosts ends the command's first process alone.
bounds() {
	[ -n "$bound" ] || return 0
	if command -v setsid >/dev/null 2>&1 && [ -d "/proc/$$/task" ]; then
		printf '%s\n' "$bound" >"$dir/bound.$$" || fail 73 "can't write to $dir"
		mv -f "$dir/bound.$$" "$dir/bound.sh" || fail 73 "can't write to $dir"
	elif ! command -v timeout >/dev/null 2>&1; then
		fail 69 "this host has neither setsid and /proc nor timeout, so nothing would end a job that hangs; nothing was started"
	fi
}

# receive takes the spec from stdin. A connection that ends in the middle looks
# like the end of the spec: the last line says how many there must be before it.
receive() {
	cat >"$dir/spec.$$" || fail 73 "can't write to $dir"
	lines=$(wc -l <"$dir/spec.$$") || fail 73 "can't read $dir"
	last=$(tail -n 1 "$dir/spec.$$")
	if [ "$last" != "end $((lines - 1))" ]; then
		rm -f "$dir/spec.$$"
		fail 66 "the job's description did not arrive whole; nothing was started"
	fi
}

# settle puts spec and run.sh in place, each by one rename. Who comes second must
# want the same.
settle() {
	if [ -f "$dir/spec" ]; then
		if [ "$(cat "$dir/spec")" != "$(cat "$dir/spec.$$")" ]; then
			rm -f "$dir/spec.$$"
			fail 65 "the job $id exists with another command; nothing was started"
		fi
		rm -f "$dir/spec.$$"
	else
		mv -f "$dir/spec.$$" "$dir/spec" || fail 73 "can't write to $dir"
	fi
}

write_run() {
	printf '%s\n' "$run" >"$dir/run.$$" || fail 73 "can't write to $dir"
	mv -f "$dir/run.$$" "$dir/run.sh" || fail 73 "can't write to $dir"
	# What the session says of proxies, the job needs too: it has no login.
	env | grep -E '^(http|https|ftp|all|no)_proxy=' >"$dir/proxy" || :
}

# finished lists the jobs that have ended, in the order of $1, as ./JOB/rc. What they left
# last tells when that was: nothing touches it later.
finished() { (cd "$base" && ls "-1$1" ./*/rc) 2>/dev/null; }

# other sets old to the job of such a line, unless it is this one, or none of ours.
other() {
	old=${1#./}
	old=${old%/rc}
	case $old in '' | "$id" | *[!a-z0-9-]*) return 1 ;; esac
	! [ -h "$base/$old" ]
}

# thin takes the bulk out of old finished jobs. What stays proves that they ran.
thin() {
	finished t | tail -n "+$((keep + 1))" | while read -r line; do
		if other "$line" && [ -f "$base/$old/log" ]; then
			for bulk in log run.sh bound.sh proxy launch; do rm -f "$base/$old/$bulk"; done
		fi
	done
	return 0
}

# forget removes jobs that ended more than 90 days ago: nobody asks for a proof of those.
# It takes them away under another name first, since half a job would be one that may be
# started. One that has not ended stays for good.
forget() {
	now=$(date +%s)
	rm -rf "$base"/.gone-*
	finished rt | while read -r line; do
		other "$line" || continue
		ended=$(date -r "$base/$old/rc" +%s 2>/dev/null) || break
		[ "$((now - ended))" -gt 7776000 ] || break
		mv "$base/$old" "$base/.gone-$old" 2>/dev/null && rm -rf "$base/.gone-$old"
	done
	return 0
}

# unit runs the job in a unit of its own: no logout, no restart of sshd and no
# "systemctl daemon-reload" ends it. KillMode=process: daemons that a package
# starts by hand outlive the job, and a shutdown signals run.sh alone, which waits.
unit() {
	[ "$me" = 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 || return 1
	systemctl reset-failed "patchring-$id.service" >/dev/null 2>&1 </dev/null
	systemd-run --quiet "--unit=patchring-$id" -p KillMode=process -p SendSIGKILL=no \
		-p TimeoutStopSec=infinity sh "$dir/run.sh" "$dir" >/dev/null 2>&1 </dev/null && return 0
	# An old systemd-run knows fewer properties.
	systemd-run "--unit=patchring-$id" sh "$dir/run.sh" "$dir" >/dev/null 2>"$dir/launch" </dev/null
}

launch() {
	unit && return 0
	if command -v setsid >/dev/null 2>&1; then
		setsid sh "$dir/run.sh" "$dir" </dev/null >/dev/null 2>"$dir/launch" &
	elif command -v nohup >/dev/null 2>&1; then
		nohup sh "$dir/run.sh" "$dir" </dev/null >/dev/null 2>"$dir/launch" &
	else
		sh "$dir/run.sh" "$dir" </dev/null >/dev/null 2>"$dir/launch" &
	fi
}

# nap is short where sleep knows fractions.
nap() { sleep 0.1 2>/dev/null || sleep 1; }

# begun: somebody took the right to run the command. A start that was too late may
# have: then it never runs.
begun() {
	[ -d "$dir/started" ] || return 1
	[ -e "$dir/started/revoked" ] && fail 71 "the job $id was called off, since it had not begun in time; it will not run"
	return 0
}

await() {
	tries=0
	until begun; do
		[ "$tries" -ge 25 ] && { revoke; return 0; }
		tries=$((tries + 1))
		if [ "$tries" -le 10 ]; then nap; else sleep 1; fi
	done
}

# revoke takes the right to run, by the same mkdir as run.sh: what was launched may
# only be late, and must not begin after this start was reported as failed. Who
# can't take it comes after run.sh, so that the job has begun.
revoke() {
	if mkdir "$dir/started" 2>/dev/null; then
		: >"$dir/started/revoked"
		fail 70 "the job did not begin within 15 seconds, and was called off: $(tail -n 3 "$dir/launch" 2>/dev/null)"
	fi
	begun || fail 70 "the job did not begin within 15 seconds, and could not be called off: it may begin yet"
}

main() {
	case $id in '' | *[!a-z0-9-]*) fail 64 "not a job: $id" ;; esac
	place "$place" || fail 67 "$why"
	dir=$base/$id
	folder "$home"
	folder "$base"
	folder "$dir"
	receive
	settle
	if begun; then
		echo attached
		return 0
	fi
	thin
	forget
	bounds
	write_run
	launch
	await
	echo started
}

main
