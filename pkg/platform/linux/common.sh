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
	elif [ "$(uname -s)" = FreeBSD ] && [ "$(sysctl -n security.jail.jailed 2>/dev/null)" = 1 ]; then
		echo jail
	fi
}

# The package manager that rules this host: another's may be installed beside it, and
# nothing but an image's own rules that.
manager() {
	kind=$(atomic)
	[ -z "$kind" ] || { printf '%s\n' "$kind"; return 0; }
	if has apt-get && has dpkg-query && [ -s /var/lib/dpkg/status ]; then
		echo apt
		return 0
	fi
	for tool in zypper dnf yum pacman apk emerge xbps-install opkg; do
		has "$tool" && { echo "$tool"; return 0; }
	done
	case $(uname -s) in
	FreeBSD) echo freebsd ;;
	OpenBSD) echo openbsd ;;
	esac
	return 0
}

# What rules a system that only an update of its image may change.
atomic() {
	if [ -e /run/ostree-booted ]; then
		if has rpm-ostree; then echo ostree
		elif has bootc; then echo bootc
		else echo ostree-image
		fi
	elif has transactional-update; then echo transactional-update
	elif has abroot; then echo abroot
	elif [ -e /etc/NIXOS ]; then echo nixos
	elif grep -q -s -x -e 'ID="*ubuntu-core"*' /etc/os-release; then echo ubuntu-core
	fi
	return 0
}

# boot_id names this boot: nothing but a boot changes it. FreeBSD has one from release 13
# on, as bytes; the time of the boot is none, as it moves with the clock.
boot_id() {
	cat /proc/sys/kernel/random/boot_id 2>/dev/null && return 0
	[ "$(uname -s)" = FreeBSD ] || return 0
	sysctl -b kern.boot_id 2>/dev/null | od -A n -v -t x1 | tr -d ' \n'
	echo
}

disks() {
	for d in / /usr /var /var/cache /var/lib /boot /sysroot; do
		[ -d "$d" ] && printf '%s\n' "$d"
	done
}
# shellcheck disable=SC2046 # one word each
space() { df -P -k $(disks); }
# shellcheck disable=SC2046
inodes() { df -P -i $(disks); }
mounts() {
	[ -r /proc/mounts ] || { [ "$(uname -s)" = FreeBSD ] && mount -p; return 0; }
	grep -E '^[^ ]+ (/|/usr|/var|/var/cache|/var/lib|/boot|/etc) ' /proc/mounts
}

kernels() {
	# shellcheck disable=SC2010 # set -f: there are no globs here
	[ -r /boot ] && ls -1 /boot | grep '^vmlinuz-'
	return 0
}

# livepatch: live patches of the running kernel, whoever loaded them.
livepatch() {
	[ -d /sys/kernel/livepatch ] && ls -1 /sys/kernel/livepatch
	return 0
}

reboot_flag() {
	for flag in /run/reboot-required /var/run/reboot-required; do
		[ -e "$flag" ] || continue
		echo "$flag"
		[ -r "$flag.pkgs" ] && sort -u "$flag.pkgs"
		return 0
	done
	return 0
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

# way takes the first words of a script: the nonce of its report, the package manager,
# "yes" on the way back, and the names of packages that are new here and of those to be
# removed, each list as one word.
# shellcheck disable=SC2034 # for the functions of the package manager
way() { nonce=$1 manager=$2 back=$3 new=$4 remove=$5; }

# first N WORDS…: of what came as one list.
first() {
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		printf '%s\n' "$1"
		shift
		count=$((count - 1))
	done
}

text() { printf '%s\n' "$1"; }

# Where patchring keeps package files on the host, a folder for each work.
# shellcheck disable=SC2034 # for what follows
kept=/var/lib/patchring/kept
# shellcheck disable=SC2034 # the probe's own word may say refresh
mode='read'

# private FOLDER…: makes each for root alone. A symbolic link is not followed: nobody but
# root could have put it there, and root would not.
private() {
	for folder in "$@"; do
		if [ -h "$folder" ]; then
			echo "$folder is a symbolic link; remove it" >&2
			return 1
		fi
		mkdir -m 700 "$folder" 2>/dev/null || [ -d "$folder" ] || { echo "can't make the folder $folder" >&2; return 1; }
	done
}

# with_digest reads "name arch version path" lines and puts the size and the digest of
# each file before them.
with_digest() {
	while IFS='	' read -r name arch version path; do
		[ -f "$path" ] || continue
		sum=$(sha256 "$path") || continue
		printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$sum" "$(wc -c <"$path")" "$name" "$arch" "$version" "$path"
	done
}
sha256() {
	if has sha256sum; then sum=$(sha256sum "$1") && printf '%s\n' "${sum%% *}"
	else command sha256 -q "$1"; fi
}

# package_files FOLDER…: the package files below these, with their digests. Those in a
# folder that ends in .new are still being written, or were when their job was cut.
package_files() {
	for folder in "$@"; do
		[ -d "$folder" ] && "${manager}_files" "$folder"
	done | grep -v -e "	$kept/[^/]*[.]new/" | with_digest
}

# ready NAMES…: the package files that are here: those that patchring keeps, and those of
# the one cache that is the only place of former versions.
ready() {
	package_files "$kept"
	[ "$manager" != pacman ] || pacman_cached "$@" | with_digest
}
