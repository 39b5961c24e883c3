# What yum 3 tells; changes nothing but, on request, the package lists. See Manager.
# Written from documentation, unchecked.

yum_cached() { yum -q -C "$@"; }
yum_locked() { cat /etc/yum/pluginconf.d/versionlock.list 2>/dev/null; return 0; }
# yum waits for its lock for ever, so nothing is asked while another holds it.
yum_locks() {
	lock_holder /var/lib/rpm/.rpm.lock
	pid_holder /var/run/yum.pid
}
# A cache lies below architecture and release: /var/cache/yum/x86_64/7/REPOSITORY.
yum_folders() {
	[ -d /var/cache/yum ] || return 0
	rpm_list /var/cache/yum | while read -r arch; do
		rpm_list "/var/cache/yum/$arch" | while read -r release; do
			rpm_list "/var/cache/yum/$arch/$release" | while read -r repository; do
				printf '%s\n' "/var/cache/yum/$arch/$release/$repository"
			done
		done
	done
}
yum_stamp() { for d in $(yum_folders); do stamp "$d/repomd.xml"; done; }
yum_caches() {
	for d in $(yum_folders); do [ -f "$d/repomd.xml" ] && printf '%s\n' "${d##*/}"; done
	return 0
}
yum_sizes() {
	repoquery -C --pkgnarrow=updates -a --qf '%{name}\t%{epoch}:%{version}-%{release}\t%{arch}\t%{packagesize}'
}

# A transaction that was cut leaves its journal.
yum_unfinished() {
	rpm_list /var/lib/yum | while read -r file; do
		case $file in transaction-all.*) printf '%s\n' "$file" ;; esac
	done
}
yum_whole() {
	section unfinished 50 yum_unfinished
	section check 500 yum_cached check duplicates
}

yum_probe() {
	section arch 2 rpm --eval '%{_arch}'
	section locks 20 yum_locks
	section holds 2000 yum_locked
	[ "$mode" = refresh ] && section refresh 400 yum -q makecache
	section repos 500 yum -C repolist enabled
	section caches 2000 yum_caches
	section stamp 500 yum_stamp
	yum_whole
	mark "begin plan"
	plan=$(yum_cached check-update </dev/null)
	code=$?
	mark "end plan"
	section updates 12000 text "$plan"
	section updates_status 9 text "$code"
	unheld=$(yum_cached --disableplugin=versionlock --disableexcludes=all check-update </dev/null)
	section unheld 12000 text "$unheld"
	names=$(rpm_names "$plan"; rpm_names "$unheld")
	if [ -n "$names" ]; then
		section advisories 20000 yum_cached updateinfo list updates
		has repoquery && section sizes 12000 yum_sizes
		# shellcheck disable=SC2086 # one word each
		section versions 12000 rpm_versions $names
		section cves 30000 yum_cached updateinfo list cves
	fi
}

yum_versions() { rpm_versions "$@"; }
yum_health() { yum_whole; }
yum_signs() { section needs_restarting 200 yum_needs_restarting; }
yum_needs_restarting() { needs-restarting -r; }

yum_available() {
	repoquery -C --show-duplicates --qf '%{name}\t%{arch}\t%{epoch}:%{version}-%{release}\t%{repoid}' "$@" || echo "repoquery failed"
}
yum_files() {
	rpm_list "$1" | head -n 2000 | while read -r file; do
		if [ -d "$1/$file" ] && [ ! -h "$1/$file" ]; then
			yum_files "$1/$file"
			continue
		fi
		case $file in *.rpm) dnf_rpm "$1/$file" ;; esac
	done
}
yum_staged() {
	for word in "$@"; do
		case $word in
		/*) dnf_rpm "$word" ;;
		*) for d in $(yum_folders); do path=$(dnf_in "$d/packages" "$word") && dnf_rpm "$path"; done ;;
		esac
	done
	return 0
}

# yum_change OPTIONS WORDS…: OPTIONS is one word each. yum goes down only where it is told
# to by a command of its own, so it takes its shell for more than one of them. That exits
# with 0 whatever becomes of it; what it says decides, as with dnf.
# shellcheck disable=SC2086 # one word each
yum_change() {
	options=$1
	shift
	goes=$(dnf_goes)
	if [ "$back" != yes ]; then
		yum $options install "$@"
		return
	fi
	{
		[ $# -eq 0 ] || printf 'downgrade %s\n' "$*"
		[ -z "$goes" ] || { printf 'remove'; printf ' %s' $goes; printf '\n'; }
		echo run
	} | yum $options --setopt=clean_requirements_on_remove=0 shell /dev/stdin 2>&1 | (
		code=3 wrong=
		while IFS= read -r line; do
			printf '%s\n' "$line"
			case $line in
			*"Exiting on user command"*) code=1 ;;
			"No package "*" available"* | "No Match for argument"* | "Nothing to do" | "Error:"*) wrong=${wrong:-3} ;;
			"Complete!" | "exiting because "*) code=0 ;;
			esac
		done
		exit "${wrong:-$code}"
	)
}
yum_simulate() { yum_change "-C --assumeno" "$@"; }
yum_indexes() {
	for d in $(yum_folders); do
		for file in $(rpm_list "$d"); do
			case $file in
			repomd.xml) kind=repomd ;;
			repomd.xml.asc) kind=repomd.asc ;;
			*primary.xml | *primary.xml.*) kind=primary ;;
			*updateinfo.xml | *updateinfo.xml.*) kind=updateinfo ;;
			*) continue ;;
			esac
			printf '%s\t%s\t%s\t%s\t%s\n' "${d##*/}" "$kind" "repodata/$file" "$(wc -c <"$d/$file")" "$d/$file"
		done
	done
	return 0
}
