# Runs one verb of a package manager as a detached job. The first words are the manager,
# stage, install or repair, and the rest of those of way; then come the systemd units that
# stand aside, as one word, the folder for outgoing versions or "", how many words of
# outgoing versions follow, those, and the words of Manager. A job never asks, and nobody
# ends it. What looks stands before this, so that NAME_locks can be asked.
set -u -f
LC_ALL=C; export LC_ALL

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'patchring: %s\n' "$*"; }

# Which units were stopped. It goes with the boot, and then they have come back by
# themselves: they are only stopped, never disabled.
stopped=/run/patchring-aside

# How long units stay away where the job can't bring them back: longer than any
# transaction that still goes on.
longest=3h

# at_work UNIT: it holds a lock of the package manager.
at_work() {
	holders=$("${manager}_locks")
	[ -n "$holders" ] || return 1
	printf '%s\n' "$holders" | {
		while read -r _ pid _; do
			grep -q -F -e "/$1" "/proc/$pid/cgroup" 2>/dev/null && exit 0
		done
		exit 1
	}
}

# idle: those of these units that are active, and may be stopped. What is at work is waited
# for by the package manager's lock, and never stopped.
idle() {
	for unit in "$@"; do
		systemctl is-active --quiet "$unit" 2>/dev/null </dev/null || continue
		case $unit in
		# It begins a transaction whenever somebody asks: between the question and the stop too.
		packagekit.service) continue ;;
		*.service) at_work "$unit" && continue ;;
		esac
		printf '%s\n' "$unit"
	done
}

# stand_aside stops what would begin a transaction of its own meanwhile. First it is made
# sure that they come back: a job may be killed at any moment. Those that an earlier job
# could not bring back are among them.
stand_aside() {
	[ -n "$aside" ] && [ -d /run/systemd/system ] && has systemctl && has systemd-run || return 0
	# shellcheck disable=SC2086 # one word each
	units=$(idle $aside)
	[ -n "$units" ] || [ -s "$stopped" ] || return 0
	if ! arm; then
		# shellcheck disable=SC2086
		say "these could not be made to stand aside, and may begin something of their own:" $units
		return 0
	fi
	# shellcheck disable=SC2086
	[ -z "$units" ] || systemctl stop $units 2>/dev/null </dev/null || say "not all of these stood aside:" $units
}

# arm has systemd start them should nobody else, and writes down which they are. The timer
# of an earlier job that was cut goes only once there is another, under the other name.
arm() {
	{ cat "$stopped" 2>/dev/null; printf '%s\n' "$units"; } | grep . | sort -u >"$stopped.new" || return
	timer=patchring-aside other=patchring-aside-next
	if systemctl is-active --quiet "$timer.timer" 2>/dev/null </dev/null; then
		timer=patchring-aside-next other=patchring-aside
	fi
	# Where both are there, an arm was cut: it had stopped nothing yet, and either has all.
	disarm "$timer"
	# shellcheck disable=SC2046 # one word each
	systemd-run --quiet --unit="$timer" --on-active="$longest" --timer-property=AccuracySec=1min \
		systemctl start $(cat "$stopped.new") >/dev/null 2>&1 </dev/null || return
	mv -f "$stopped.new" "$stopped" || return
	disarm "$other"
}
disarm() {
	for name in "$@"; do
		systemctl stop "$name.timer" >/dev/null 2>&1 </dev/null
		systemctl reset-failed "$name.service" >/dev/null 2>&1 </dev/null
	done
	return 0
}

# come_back starts them again. What could not come back is told, and systemd tries again.
come_back() {
	if [ -s "$stopped" ]; then
		away=
		# shellcheck disable=SC2013 # one word each
		for unit in $(cat "$stopped"); do
			systemctl start "$unit" >/dev/null 2>&1 </dev/null || away="$away $unit"
		done
		if [ -n "$away" ]; then
			say "stood aside and could not be started again:$away"
		else
			rm -f "$stopped"
			disarm patchring-aside patchring-aside-next
		fi
	fi
}

# alone runs a transaction while others stand aside.
alone() {
	trap come_back EXIT
	stand_aside
	"$@"
}

# stage downloads, and keeps what goes: that it can't is told, and no failure.
stage() {
	"${manager}_stage" "$@" || return
	[ -n "$keep" ] && [ -n "$outgoing" ] || return 0
	private "${keep%/*}" && rm -rf "$keep.new" && private "$keep.new" || return
	# shellcheck disable=SC2086 # one word each
	"${manager}_keep" "$keep.new" $outgoing || say "not every outgoing version could be kept"
	put_by
}

# put_by makes files kept ones: those of a job that is cut may only be begun, and must
# never count.
put_by() {
	sync
	private "$keep" || return
	# shellcheck disable=SC2012 # set -f: there are no globs here
	ls -1 "$keep.new" | while read -r file; do
		mv -f "$keep.new/$file" "$keep/$file" || say "$file could not be kept"
	done
	rm -rf "$keep.new"
	sync
}

main() {
	# shellcheck disable=SC2034 # for the functions of the package manager
	manager=$1 verb=$2 back=$3 new=$4 remove=$5 aside=$6 keep=$7 count=$8
	shift 8
	outgoing=
	while [ "$count" -gt 0 ]; do
		outgoing="$outgoing $1"
		shift
		count=$((count - 1))
	done
	case $verb in
	stage) stage "$@" ;;
	install) alone "${manager}_install" "$@" ;;
	repair) alone "${manager}_repair" ;;
	*) return 64 ;;
	esac
}

main "$@"
