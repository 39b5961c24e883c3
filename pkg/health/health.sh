# Answers the checks of one host, and takes the snapshot that a diff compares, in
# one go. On stdin: a nonce; then for each section the words of one function call as
# "arg …" and "do NAME"; last "end". Out: frames as package remote reads them.
# Changes nothing, unless a command of the playbook does.
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
set -u

end() { printf '\n@@%s end %s\n' "$nonce" "$1"; }

# section NAME BYTES FUNCTION…: its output, the last bytes of it, and its status.
section() {
	printf '@@%s begin %s\n' "$nonce" "$1"
	bytes=$2
	shift 2
	{
		code=0
		"$@" 2>&1 </dev/null || code=$?
		end "$code"
	} | tail -c "$bytes"
}

has() { command -v "$1" >/dev/null 2>&1; }

# lacks: nothing can be told without it. 127 is read as such.
lacks() {
	echo "$1"
	return 127
}

within() { # seconds, command…
	if has timeout; then
		timeout "$@"
	else
		shift
		"$@"
	fi
}

check_service() { # unit
	has systemctl || lacks "systemctl is not on this host" || return
	systemctl is-active "$1" || return
	lived "$1"
}

# lived: for how many seconds the unit's process has, where that can be told. A unit
# that crashes and is started over and over is active each time for a moment.
lived() { # unit
	pid=$(systemctl show -p MainPID "$1" 2>/dev/null) || return 0
	pid=${pid#MainPID=}
	case $pid in '' | 0 | *[!0-9]*) return 0 ;; esac
	stat=$(cat "/proc/$pid/stat" 2>/dev/null) && up=$(cat /proc/uptime 2>/dev/null) || return 0
	# shellcheck disable=SC2086 # the words after the name, which may hold spaces
	set -- ${stat##*)}
	[ $# -ge 20 ] || return 0
	shift 19 # it began at this tick; there are 100 a second on every machine we know of
	echo "for $((${up%%.*} - $1 / 100))"
}

# hex: the kernel's own tables, where there is no ss. Listening sockets only.
hex() {
	for table in tcp tcp6; do
		[ -r "/proc/net/$table" ] || continue
		echo "hex $table"
		grep -E '^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 0A ' "/proc/net/$table" || :
	done
}

listeners() {
	cat /proc/sys/net/ipv4/ip_local_port_range 2>/dev/null || echo "32768 60999"
	if has ss; then
		ss -l -t -u -n
	elif [ -r /proc/net/tcp ]; then
		hex
	else
		lacks "neither ss nor /proc/net/tcp is on this host"
	fi
}

# Only the lines of this port: a busy host has thousands.
check_listens() { # port, and in hexadecimal
	table=$(listeners) || {
		code=$?
		printf '%s\n' "$table"
		return "$code"
	}
	printf '%s\n' "$table" | head -n 1
	printf '%s\n' "$table" | grep -E "^Netid|^hex|:$1 |:$2 "
}

check_connect() { # seconds, host, port
	if has bash && has timeout; then
		# shellcheck disable=SC2016 # the other shell reads them
		timeout "$1" bash -c ': <"/dev/tcp/$1/$2"' bash "$2" "$3"
	elif has nc && nc -h 2>&1 | grep -q -e '-[a-z]*z'; then
		nc -z -w "$1" "$2" "$3"
	else
		lacks "asking another host for a port needs bash and timeout, or an nc with -z, on this host"
	fi
}

# Of an answer, the status matters, and where a text is wanted, the first part of
# the body: that is a second request. Redirects are not followed, and the
# certificate is not checked: the question is whether the service answers.
with_curl() { # seconds, URL, text
	set -- "$3" -q -g -s -S -k --noproxy '*' --max-time "$1" --url "$2"
	text=$1
	shift
	said=$(curl "$@" -o /dev/null -w '\n%{http_code}' 2>&1)
	status=${said##*"
"}
	said=${said%"$status"}
	[ -z "$text" ] || body=$(curl "$@" 2>/dev/null | head -c 262144)
}

gnu() { wget --version 2>/dev/null | grep -q 'GNU Wget'; }

with_wget() { # seconds, URL, text
	text=$3
	set -- -T "$1" "$2"
	gnu && set -- -t 1 --max-redirect=0 --no-check-certificate --no-proxy --content-on-error "$@"
	said=$(wget -S -O /dev/null "$@" 2>&1)
	status=$(printf '%s\n' "$said" | grep -E '^ *HTTP/[0-9.]+ [0-9][0-9][0-9]' | head -n 1)
	[ -z "$text" ] || body=$(wget -q -O - "$@" 2>/dev/null | head -c 262144)
}

check_http() { # seconds, URL, text
	body=''
	if has curl; then
		with_curl "$@"
	elif has wget; then
		with_wget "$@"
	else
		lacks "asking for a URL needs curl or wget on this host; or let the controller ask (from: controller)" || return
	fi
	echo "status $status"
	case $body in
	*"$3"*) echo "contains yes" ;;
	*) echo "contains no" ;;
	esac
	printf '%s\n' "$said" | tail -c 300
}

check_command() { within "$@"; }

check_disk() { df -P -k "$1"; }

check_load() {
	cat /proc/loadavg || return
	if has nproc; then nproc; else grep -c '^processor' /proc/cpuinfo; fi
}

# check_conffiles: the first files that package managers have left beside others, or
# "none". Not 0: not all of it could be looked at.
check_conffiles() { # seconds, paths
	has find || lacks "find is not on this host" || return
	code=0
	found=$(left "$@") || code=$?
	if [ -n "$found" ]; then
		printf '%s\n' "$found" | sort -u | head -n 6
	elif [ "$code" = 0 ]; then
		echo none
	fi
	return "$code"
}

left() { # seconds, paths
	limit=$1 code=0
	shift
	for path do # behind the paths comes what find shall walk
		shift
		beside "$path"
		if real=$(placed "$path"); then
			[ -z "$real" ] || set -- "$@" "$real"
		else
			code=1
		fi
	done
	[ $# -gt 0 ] || return "$code" # without a path, find would walk this folder
	within "$limit" find "$@" "(" -type f -o -type l ")" "(" -name '*.dpkg-dist' -o -name '*.dpkg-new' -o -name '*.ucf-dist' \
		-o -name '*.rpmnew' -o -name '*.rpmsave' -o -name '*.pacnew' -o -name '*.pacsave' -o -name '*.apk-new' ")" || code=$?
	return "$code"
}

beside() { # path
	for ending in .dpkg-dist .dpkg-new .ucf-dist .rpmnew .rpmsave .pacnew .pacsave .apk-new; do
		if [ -f "$1$ending" ] || [ -L "$1$ending" ]; then
			printf '%s\n' "$1$ending"
		fi
	done
}

# placed: where the path leads, as find does not follow links; nothing where it does not
# exist. A link to nowhere is none of that: some ls say that it does not exist.
placed() { # path
	if [ -d "$1" ]; then
		cd "$1" && pwd -P
	elif [ -e "$1" ]; then
		printf '%s\n' "$1"
	elif [ -L "$1" ]; then
		echo "$1 leads nowhere, or where nothing can be seen" >&2
		return 1
	else
		absent "$1"
	fi
}

# absent: the path does not exist for sure; that test -e is false says the same of what
# lies in a closed folder.
absent() { # path
	said=$(ls -d "$1" 2>&1)
	case $?:$said in
	0:* | 12[67]:*) ;; # it has just come; or it was not ls that spoke
	*": No such file or directory" | *": Not a directory") return 0 ;;
	esac
	printf '%s\n' "$said" >&2
	return 1
}

snap_boot() { cat /proc/sys/kernel/random/boot_id; }

snap_units() {
	# Where systemd does not run, there are no units that could fail.
	# shellcheck disable=SC2015 # as meant
	has systemctl && [ -d /run/systemd/system ] || lacks "systemd does not run on this host" || return
	# Sub states are taken, too, since 206; what a version does not know matches nothing.
	systemctl list-units --state=failed,auto-restart,auto-restart-queued --no-legend --no-pager --plain
}

snap_mounts() { cat /proc/mounts; }

snap_routes() {
	if has ip; then
		ip route show default && { ip -6 route show default 2>/dev/null || :; }
	else
		lacks "ip is not on this host"
	fi
}

snap_time() {
	if has timedatectl && state=$(timedatectl show -p NTPSynchronized --value 2>/dev/null) && [ -n "$state" ]; then
		echo "$state"
	elif has timedatectl && state=$(timedatectl status 2>/dev/null | grep -E -i 'synchronized: *(yes|no)'); then
		echo "${state##* }"
	elif has chronyc && state=$(chronyc -n tracking 2>/dev/null | grep '^Leap status'); then
		case $state in *"Not synchronised"*) echo no ;; *) echo yes ;; esac
	else
		lacks "neither timedatectl nor chronyc tells whether the clock is in sync"
	fi
}

# snap_bgp: FRR's own summary of all neighbours. Only its group and root may ask for it.
snap_bgp() {
	has vtysh || lacks "vtysh is not on this host" || return
	summary vtysh && return
	if has sudo && [ "$(id -u)" != 0 ] && summary sudo -n vtysh; then return; fi
	if frr_is_down; then
		echo '{}'
	else
		lacks "vtysh tells this user nothing: let it into the group frrvty"
	fi
}

# summary: what vtysh says, unless it fails. That bgpd does not run is no failure: then
# there are no neighbours.
summary() { # how vtysh is called
	ok=yes
	said=$(within 10 "$@" -c "show bgp vrf all summary json" 2>&1) || ok=no
	case $said in
	*"bgpd is not running"*) echo '{}' ;;
	*)
		[ "$ok" = yes ] || return
		printf '%s\n' "$said" | sed -e '/^% Can/d' # "% Can't open configuration file"
		;;
	esac
}

# frr_is_down: none of its processes lives, and its files about them could be read.
frr_is_down() {
	[ -d /etc/frr ] || return
	[ ! -e /run/frr ] || [ -x /run/frr ] || return
	for daemon in bgpd zebra watchfrr; do
		pid=$(cat "/run/frr/$daemon.pid" 2>/dev/null) || continue
		[ ! -d "/proc/$pid" ] || return
	done
}

main() {
	IFS= read -r nonce || exit 1
	set --
	while IFS= read -r line; do
		kind=${line%% *} value=${line#* }
		case $value in *\\*) value=$(printf '%b.' "$value") && value=${value%.} ;; esac
		case $kind in
		arg) set -- "$@" "$value" ;;
		do)
			section "$value" "$@"
			set --
			;;
		end) printf '@@%s eof\n' "$nonce" ;;
		esac
	done
}

main
