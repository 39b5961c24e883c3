# Which processes still run code from files that an update has replaced, and what can
# be done about each. $never are words CODE=PATTERN: units that are told and not restarted.

# Code is what is mapped to be executed: data (archives of locales, caches) is not missed.
replaced='^[0-9a-f]+-[0-9a-f]+ [r-][w-]x[ps] [^/]* /(usr|lib|lib32|lib64|libx32|bin|sbin|opt)/.* \(deleted\)$'
here=''

# control PID: its control group, as seen from the top of this system: in a container
# the path may begin above it.
control() {
	path=$(grep -s -E '^(0:|[0-9]+:name=systemd):' "/proc/$1/cgroup" | head -n 1)
	path=${path#*:*:}
	printf '%s\n' "${path#"$here"}"
}

# stale: the processes, at most 500.
stale() {
	[ -r /proc/1/maps ] || { echo "the memory maps of processes can't be read" >&2; return 1; }
	# shellcheck disable=SC2010 # numbers alone
	ls -1 /proc | grep -E '^[0-9]+$' | sed 's|^|/proc/|' | sed 's|$|/maps|' | xargs -r grep -l -s -E -e "$replaced" | head -n 500
	return 0
}

# owner PATH: whose a process is: "unit NAME", or "tell CODE".
owner() {
	case $1 in
	*machine-qemu*) echo 'tell guest' ;;
	/machine.slice/* | /docker/* | */docker-*.scope* | *libpod-* | *kubepods* | */crio-* | */cri-containerd-* | /lxc* | */lxc.payload*) echo container ;;
	/user.slice/*) echo 'tell session' ;;
	/init.scope*) echo init ;;
	*.service | *.service/*)
		unit=${1%%.service*}
		unit=${unit##*/}.service
		case $unit in
		-* | *[!A-Za-z0-9:_.@\\-]*) echo 'tell process' ;;
		*) printf 'unit %s\n' "$unit" ;;
		esac
		;;
	*) echo 'tell process' ;;
	esac
}

# may UNIT: why it is not restarted; nothing where it may be.
may() {
	for word in $never; do
		# shellcheck disable=SC2254 # it is a pattern
		case $1 in ${word#*=}) printf '%s\n' "${word%%=*}"; return 0 ;; esac
	done
	shown=$(systemctl show -p LoadState -p Type -p RefuseManualStop -p UnitFileState "$1" 2>/dev/null </dev/null)
	case $shown in
	*RefuseManualStop=yes*) echo manual ;;
	*Type=oneshot*) echo oneshot ;;
	*UnitFileState=transient*) echo transient ;;
	*LoadState=loaded*) ;;
	*) echo gone ;;
	esac
}

# findings: "unit NAME FILE", "tell CODE NAME FILE" or "init systemd FILE", separated by
# tabs, of each process once, sorted.
findings() {
	stale | while read -r maps; do
		pid=${maps#/proc/}
		pid=${pid%/maps}
		file=$(grep -s -m 1 -E -e "$replaced" "$maps")
		[ -n "$file" ] || continue
		file=/${file#*/}
		file=${file% (deleted)}
		of=$(owner "$(control "$pid")")
		case $of in
		container) ;;
		init) printf 'init\tsystemd\t%s\n' "$file" ;;
		unit\ *) printf 'unit\t%s\t%s\n' "${of#unit }" "$file" ;;
		*)
			name=$(head -n 1 "/proc/$pid/comm" 2>/dev/null)
			printf 'tell\t%s\t%s\t%s\n' "${of#tell }" "${name:-$pid}" "$file"
			;;
		esac
	done | sort -u
}

# judged: findings, each unit once, with what can be done: "restart NAME FILE", "tell
# CODE NAME FILE", "reexec systemd FILE". Without systemd all are told.
judged() {
	[ -r /proc/1/maps ] || { echo "the memory maps of processes can't be read" >&2; return 1; }
	here=$(control 1)
	here=${here%/init.scope}
	last=''
	tab='	'
	findings | while IFS="$tab" read -r kind name file rest; do
		[ "$kind $name" = "$last" ] && [ "$kind" != tell ] && continue
		last="$kind $name"
		case $kind in
		init) printf 'reexec\tsystemd\t%s\n' "$file" ;;
		unit)
			why=$(may "$name")
			if [ -z "$why" ]; then printf 'restart\t%s\t%s\n' "$name" "$file"
			else printf 'tell\t%s\t%s\t%s\n' "$why" "$name" "$file"
			fi
			;;
		tell) printf 'tell\t%s\t%s\t%s\n' "$name" "$file" "$rest" ;;
		esac
	done
}
