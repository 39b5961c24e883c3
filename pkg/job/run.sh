# Runs one job: its folder is $1. Started by start.sh, detached.
LC_ALL=C; export LC_ALL
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
set -u
if [ "$(id -u)" = 0 ]; then HOME=/root; export HOME; fi
dir=$1
cd / || exit 1

# Handled, not ignored: this shell outlives the signal and waits for the command,
# and what the command starts gets the default back.
trap : HUP INT TERM 2>/dev/null || :

# persist makes sure that it is on disk, not only in memory.
persist() { sync "$@" 2>/dev/null || sync; }

# What decides who runs the command. Only one mkdir can succeed; start.sh calls a late
# job off by the same one.
mkdir "$dir/started" 2>/dev/null || exit 0

# born prints when this process began, in clock ticks since the boot: with the boot
# and the process number, it names one process for good.
born() {
	stat=$(cat "/proc/$$/stat" 2>/dev/null) || return 0
	# shellcheck disable=SC2086 # the words are wanted; a name before ") " may hold anything
	set -- ${stat##*) }
	echo "${20:-}"
}

# prepare writes what a look needs, and the ballast that leaves room for the exit
# status on a disk that the command fills up.
prepare() {
	echo "$$ $(born)" >"$dir/started/pid" &&
		{ cat /proc/sys/kernel/random/boot_id 2>/dev/null || :; } >"$dir/started/boot_id" &&
		printf '%08192d\n' 0 >"$dir/ballast" &&
		: >"$dir/log" &&
		persist "$dir/started/boot_id" "$dir/started" "$dir"
}

# record writes the exit status under another name first: rc is whole or absent.
record() {
	printf '%s\n' "$1" >"$dir/rc.tmp" && persist "$dir/rc.tmp" && mv -f "$dir/rc.tmp" "$dir/rc" && persist "$dir"
}

# Nothing ran yet, so giving the right to run back is safe.
prepare || {
	rm -rf "$dir/started"
	exit 1
}

inhibit=no within=0
set --
if [ -f "$dir/proxy" ]; then
	while IFS= read -r line; do export "${line?}"; done <"$dir/proxy"
fi
while IFS= read -r line; do
	kind=${line%% *} value=${line#* }
	case $value in *\\*) value=$(printf '%b.' "$value") && value=${value%.} ;; esac
	case $kind in
	inhibit) inhibit=yes ;;
	within) within=$value ;;
	env) export "${value?}" ;;
	arg) set -- "$@" "$value" ;;
	esac
done <"$dir/spec"

# A host without a working logind can't hold off a shutdown; the job runs all the same.
inhibits() {
	[ "$inhibit" = yes ] && [ -d /run/systemd/system ] && command -v systemd-inhibit >/dev/null 2>&1 &&
		systemd-inhibit --what=shutdown:sleep --who=patchring --why=test true </dev/null >/dev/null 2>&1
}

# bounded runs the command for at most so long. What was ended so says that it was.
bounded() {
	if [ -f "$dir/bound.sh" ]; then
		sh "$dir/bound.sh" "$dir" "$within" "$@" || code=$?
	else
		began=$(date +%s)
		timeout -k 5 "$within" "$@" </dev/null >"$dir/log" 2>&1 || code=$?
		# The command may end with that status by itself; then it is early.
		case $code in 124 | 137) [ $(($(date +%s) - began)) -lt "$within" ] || : >"$dir/late" ;; esac
	fi
	if [ -e "$dir/late" ]; then code="$code late"; fi
}

code=0
if [ "$within" -gt 0 ]; then
	bounded "$@"
elif inhibits; then
	# systemd-inhibit has words of its own at the end, which are not the command's.
	# shellcheck disable=SC2016 # the inner shell reads them
	systemd-inhibit --what=shutdown:sleep --who=patchring "--why=patchring is at work" \
		sh -c '"$@" >"$0" 2>&1' "$dir/log" "$@" </dev/null >/dev/null 2>&1 || code=$?
else
	"$@" </dev/null >"$dir/log" 2>&1 || code=$?
fi
record "$code" 2>/dev/null || {
	rm -f "$dir/ballast"
	record "$code"
}
rm -f "$dir/ballast"
# Always 0: the job's status is in rc, and a failed unit would count as a fault of the host.
exit 0
