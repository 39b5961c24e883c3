# Learns everything about a Linux host in one go; changes nothing but, on request,
# the package lists. $1 nonce, $2 "refresh" or "read", $3… packages to ask about.
# Read from stdin: nothing runs before the last line came.

identity() {
	say uid "$(id -u)"
	say machine "$(uname -m)"
	say kernel "$(uname -r)"
	say build "$(uname -v)"
	say hostname "$(uname -n)"
	say boot_id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
	say now "$(date +%s)"
	say container "$(container)"
	[ -d /run/systemd/system ] && say init systemd
	say manager "$manager"
	say atomic "$(atomic)"
	[ -r /etc/debian_version ] && say debian_version "$(cat /etc/debian_version)"
	if [ -r /boot ]; then say boot readable; else say boot hidden; fi
}

os_release() { cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release; }

# stamp FILES…: when each was last changed, in seconds.
stamp() {
	for f in "$@"; do
		[ -e "$f" ] && date -r "$f" +%s 2>/dev/null
	done
	return 0
}

text() { printf '%s\n' "$1"; }

# The packages that would change or are kept back: "Inst name …" and "  name (from => to)".
apt_names() {
	# Filtered first: a shell reads a pipe byte by byte.
	text "$1" | grep -E '^Inst | => ' | head -n 6000 | while read -r word rest; do
		case $word/$rest in
		Inst/*) printf '%s\n' "${rest%% *}" ;;
		*/"("*" => "*")") printf '%s\n' "$word" ;;
		esac
	done | sort -u
}

apt_refresh() {
	apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Retries=1 -o Acquire::http::Timeout=30 \
		-o Acquire::https::Timeout=30 update
}
apt_stamp() { stamp /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists /var/lib/apt/lists/partial; }
apt_plan() {
	apt-get -s -V -o Debug::NoLocking=1 -o APT::Get::Show-User-Simulation-Note=false --with-new-pkgs upgrade </dev/null
}
apt_sizes() { apt-get -qq --print-uris -o Debug::NoLocking=1 --with-new-pkgs upgrade; }

probe_apt() {
	section arch 2 dpkg --print-architecture
	section audit 200 dpkg --audit
	section journal 20 dpkg_journal
	section locks 20 apt_locks
	section holds 2000 apt-mark showhold
	[ "$mode" = refresh ] && section refresh 400 apt_refresh
	section stamp 9 apt_stamp
	mark "begin plan"
	plan=$(apt_plan)
	code=$?
	mark "end plan"
	section updates 12000 text "$plan"
	section updates_status 9 text "$code"
	names=$(apt_names "$plan")
	if [ -n "$names" ]; then
		section sizes 6000 apt_sizes
		section indexes 1000 apt-cache policy
		# shellcheck disable=SC2086 # one word each
		section policy 60000 apt-cache policy $names
	fi
	[ $# -eq 0 ] || section packages 12000 dpkg_versions "$@"
	section image 5 running_image
}

# A cache that is missing must not pass for "no updates": dnf may skip such a repository silently.
dnf_caches() { ls -1 /var/cache/dnf /var/cache/libdnf5 2>/dev/null; return 0; }
dnf_stamp() {
	for d in $(dnf_caches); do
		stamp "/var/cache/dnf/$d/repodata/repomd.xml" "/var/cache/libdnf5/$d/repodata/repomd.xml"
	done
}
dnf_locked() { cat /etc/dnf/plugins/versionlock.list /etc/dnf/versionlock.toml 2>/dev/null; return 0; }
dnf_cached() { dnf -q -C --setopt=exit_on_lock=True "$@"; }
dnf_sizes() {
	dnf_cached repoquery --upgrades --qf '%{name}\t%{epoch}:%{version}-%{release}\t%{arch}\t%{downloadsize}\n'
}

# What stands before the last dot of each line's first word: the package's name.
dnf_names() {
	text "$1" | head -n 12000 | while read -r first rest; do
		case $first in
		Obsoleting) break ;;
		*.*) printf '%s\n' "${first%.*}" ;;
		esac
	done
}

probe_dnf() {
	section arch 2 rpm --eval '%{_arch}'
	section locks 20 dnf_locks
	section holds 2000 dnf_locked
	[ "$mode" = refresh ] && section refresh 400 dnf -q --setopt=exit_on_lock=True makecache --refresh
	section repos 500 dnf_cached repolist --enabled
	section caches 2000 dnf_caches
	section stamp 500 dnf_stamp
	mark "begin plan"
	plan=$(dnf_cached check-update </dev/null)
	code=$?
	mark "end plan"
	section updates 12000 text "$plan"
	section updates_status 9 text "$code"
	names=$(dnf_names "$plan")
	if [ -n "$names" ]; then
		section advisories 20000 dnf_cached updateinfo list --updates
		section sizes 12000 dnf_sizes
		# shellcheck disable=SC2086 # one word each
		section versions 12000 rpm_versions $names
		section cves 30000 dnf_cached updateinfo list --updates --with-cve
	fi
	[ $# -eq 0 ] || section packages 12000 rpm_versions "$@"
	section needs_restarting 200 needs_restarting
}

main() {
	nonce=$1 mode=$2
	shift 2
	manager=$(manager)
	open_report
	section identity 50 identity
	section os_release 100 os_release
	section mounts 50 mounts
	section space 50 space
	section inodes 50 inodes
	section open 40 markers /var/lib/patchring
	case $manager in
	apt) probe_apt "$@" ;;
	dnf) probe_dnf "$@" ;;
	esac
	section kernels 200 kernels
	section reboot_flag 200 reboot_flag
	close_report
}

main "$@"
