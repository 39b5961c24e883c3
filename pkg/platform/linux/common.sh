# What several scripts look at.

container() {
	if has systemd-detect-virt; then
		kind=$(systemd-detect-virt -c 2>/dev/null </dev/null)
		[ "$kind" = none ] || printf '%s\n' "$kind"
	elif [ -s /run/systemd/container ]; then
		head -n 1 /run/systemd/container
	elif [ -e /run/.containerenv ]; then
		echo podman
	elif [ -e /.dockerenv ]; then
		echo docker
	fi
}

# The package manager that rules this host: another's may be installed beside it.
manager() {
	if has apt-get && has dpkg-query && [ -s /var/lib/dpkg/status ]; then echo apt
	elif has dnf; then echo dnf
	else
		for tool in yum zypper pacman apk emerge xbps-install opkg; do
			has "$tool" && { echo "$tool"; return 0; }
		done
	fi
}

# What only an image update may change.
atomic() {
	if [ -e /run/ostree-booted ]; then echo ostree
	elif has transactional-update; then echo transactional-update
	elif has abroot; then echo abroot
	fi
}

disks() {
	for d in / /usr /var /var/cache /var/lib /boot; do
		[ -d "$d" ] && printf '%s\n' "$d"
	done
}
# shellcheck disable=SC2046 # one word each
space() { df -P -k $(disks); }
# shellcheck disable=SC2046
inodes() { df -P -i $(disks); }
mounts() { grep -E '^[^ ]+ (/|/usr|/var|/var/cache|/var/lib|/boot|/etc) ' /proc/mounts; }

kernels() {
	# shellcheck disable=SC2010 # set -f: there are no globs here
	[ -r /boot ] && ls -1 /boot | grep '^vmlinuz-'
	return 0
}
running_image() { dpkg-query -W -f '${Version} ${db:Status-Status}\n' "linux-image-$(uname -r)"; }

reboot_flag() {
	for flag in /run/reboot-required /var/run/reboot-required; do
		[ -e "$flag" ] || continue
		echo "$flag"
		[ -r "$flag.pkgs" ] && sort -u "$flag.pkgs"
		return 0
	done
	return 0
}
needs_restarting() {
	if has needs-restarting; then needs-restarting -r
	else dnf -q -C needs-restarting -r; fi
}

# lock_holder FILE: "FILE PID COMMAND" of who holds an fcntl lock on it. The lock
# table names inodes only; where the process's files can be read, they decide.
lock_holder() {
	[ -e "$1" ] && [ -r /proc/locks ] || return 0
	inode=$(ls -i "$1" 2>/dev/null) && inode=${inode%% /*} && inode=${inode##* }
	[ -n "$inode" ] || return 0
	grep -F ":$inode " /proc/locks | grep -F WRITE | head -n 20 | while read -r _ a b c d rest; do
		[ "$a" = '->' ] && continue
		: "$b" "$c" "$rest"
		if [ -r "/proc/$d/fd" ] && opened=$(ls -l "/proc/$d/fd" 2>/dev/null); then
			case $opened in *" -> $1"*) ;; *) continue ;; esac
		fi
		printf '%s %s %s\n' "$1" "$d" "$(cat "/proc/$d/comm" 2>/dev/null)"
	done
}

# pid_holder FILE: a lock that is a file with a process number in it.
pid_holder() {
	pid=$(cat "$1" 2>/dev/null) || return 0
	case $pid in '' | *[!0-9]*) return 0 ;; esac
	[ -d "/proc/$pid" ] && printf '%s %s %s\n' "$1" "$pid" "$(cat "/proc/$pid/comm" 2>/dev/null)"
	return 0
}

apt_locks() {
	for f in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/cache/apt/archives/lock; do lock_holder "$f"; done
}
dnf_locks() {
	for f in /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do lock_holder "$f"; done
	for f in /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid; do pid_holder "$f"; done
}

dpkg_journal() {
	[ -d /var/lib/dpkg/updates ] && ls -1 /var/lib/dpkg/updates
	return 0
}
dpkg_versions() { dpkg-query -W -f '${Package}\t${Architecture}\t${Version}\t${db:Status-Status}\n' -- "$@"; }
rpm_versions() { rpm -q --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\tinstalled\n' "$@"; }

# -y: what would need another "yes" (a hold, a downgrade) is then refused, as in the real run.
apt_simulate() {
	apt-get -s -y -V -o Debug::NoLocking=1 -o APT::Get::Show-User-Simulation-Note=false install "$@"
}
# From the cache: the same lists as detection saw.
dnf_simulate() { dnf -C --setopt=exit_on_lock=True --assumeno install "$@"; }
