# What dnf and rpm tell; changes nothing but, on request, the package lists. See Manager.

# A cache that is missing must not pass for "no updates": dnf may skip such a repository silently.
dnf_caches() { ls -1 /var/cache/dnf /var/cache/libdnf5 2>/dev/null; return 0; }
dnf_stamp() {
	for d in $(dnf_caches); do
		stamp "/var/cache/dnf/$d/repodata/repomd.xml" "/var/cache/libdnf5/$d/repodata/repomd.xml"
	done
}
# When each repository's lists were fetched: "folder seconds". A fetch that found nothing
# new changes only the time of the list itself.
dnf_ages() {
	for cache in /var/cache/dnf /var/cache/libdnf5; do
		[ -d "$cache" ] && rpm_list "$cache" | while read -r d; do
			[ -d "$cache/$d/repodata" ] || continue
			rpm_list "$cache/$d/repodata" | while read -r file; do
				case $file in repomd.xml | *primary.xml*) printf '%s %s\n' "$d" "$(date -r "$cache/$d/repodata/$file" +%s)" ;; esac
			done
		done
	done
	return 0
}
dnf_locked() { cat /etc/dnf/plugins/versionlock.list /etc/dnf/versionlock.toml 2>/dev/null; return 0; }
dnf_cached() { dnf -q -C --setopt=exit_on_lock=True "$@"; }
dnf_sizes() {
	dnf_cached repoquery --upgrades --qf '%{name}\t%{epoch}:%{version}-%{release}\t%{arch}\t%{downloadsize}\n'
}

# What dnf would offer if nothing was held or excluded, where anything may be.
dnf_unheld() {
	if grep -q '^[^#]' /etc/dnf/plugins/versionlock.list 2>/dev/null || [ -s /etc/dnf/versionlock.toml ] ||
		{ [ -d /etc/yum.repos.d ] && rpm_list /etc/yum.repos.d | sed 's,^,/etc/yum.repos.d/,'; echo /etc/dnf/dnf.conf; } |
		while read -r file; do grep '^ *exclude' "$file" 2>/dev/null; done | grep -q .; then
		dnf_cached --setopt=plugins=False '--setopt=disable_excludes=all,*' check-update
	fi
}

# repolist is asked aloud: that a system is not registered is told in passing only.
dnf_repolist() { dnf -C --setopt=exit_on_lock=True repolist --enabled; }

# dnf_cut TEXT: whether the last transaction never came to its end, as `dnf history info`
# says it. Its columns are not the same in all versions.
dnf_cut() {
	text "$1" | (
		while read -r a b c d rest; do
			case "$a $b $c $d$rest" in "End rpmdb : **" | "Return-Code : Aborted"* | "Status : Started"*) exit 0 ;; esac
		done
		exit 1
	)
}

# Of a cut transaction all is checked; else only whether a package is there twice, which
# takes no time.
dnf_whole() {
	mark "begin history"
	last=$(dnf_cached history info last </dev/null)
	code=$?
	mark "end history"
	section last 500 text "$last"
	section last_status 9 text "$code"
	if dnf_cut "$last"; then section check 500 dnf_cached '--disablerepo=*' check --dependencies --duplicates
	else section check 500 dnf_cached '--disablerepo=*' check --duplicates
	fi
}

dnf_probe() {
	section arch 2 rpm --eval '%{_arch}'
	section locks 20 dnf_locks
	section holds 2000 dnf_locked
	[ "$mode" = refresh ] && section refresh 400 dnf -q --setopt=exit_on_lock=True makecache --refresh
	section repos 500 dnf_repolist
	section caches 2000 dnf_caches
	section stamp 500 dnf_stamp
	section ages 2000 dnf_ages
	dnf_whole
	mark "begin plan"
	plan=$(dnf_cached check-update </dev/null)
	code=$?
	mark "end plan"
	section updates 12000 text "$plan"
	section updates_status 9 text "$code"
	mark "begin unheld_plan"
	unheld=$(dnf_unheld </dev/null)
	mark "end unheld_plan"
	section unheld 12000 text "$unheld"
	names=$(rpm_names "$plan"; rpm_names "$unheld")
	if [ -n "$names" ]; then
		section advisories 20000 dnf_cached updateinfo list --updates
		section sizes 12000 dnf_sizes
		# shellcheck disable=SC2086 # one word each
		section versions 12000 rpm_versions $names
		section cves 30000 dnf_cached updateinfo list --updates --with-cve
	fi
}

dnf_locks() {
	for f in /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do lock_holder "$f"; done
	for f in /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid; do pid_holder "$f"; done
}
dnf_versions() { rpm_versions "$@"; }
dnf_health() { dnf_whole; }
dnf_signs() { section needs_restarting 200 dnf_needs_restarting; }
dnf_needs_restarting() {
	if has needs-restarting; then needs-restarting -r
	else dnf -q -C needs-restarting -r; fi
}

# Without an answer there are no versions that can be had, but also no word that there are none.
dnf_available() {
	dnf_cached repoquery --showduplicates --qf '%{name}\t%{arch}\t%{epoch}:%{version}-%{release}\t%{repoid}\n' "$@" || echo "dnf repoquery failed"
}

# The package files of a folder and of those in it.
dnf_files() {
	rpm_list "$1" | head -n 2000 | while read -r file; do
		if [ -d "$1/$file" ] && [ ! -h "$1/$file" ]; then
			dnf_files "$1/$file"
			continue
		fi
		case $file in *.rpm) dnf_rpm "$1/$file" ;; esac
	done
}

# The words of a work name all that it installs, so the file of each is known by its name.
dnf_staged() {
	for word in "$@"; do
		case $word in
		/*) dnf_rpm "$word" ;;
		*) dnf_downloaded "$word" | while read -r path; do dnf_rpm "$path"; done ;;
		esac
	done
	return 0
}

dnf_simulate() { dnf_change look "$@"; }

# The index files of the repositories: "repository kind name size path". Where a repository
# has had several addresses, only the first folder goes by its plain name.
dnf_indexes() {
	for cache in /var/cache/dnf /var/cache/libdnf5; do
		[ -d "$cache" ] || continue
		before=
		for folder in $(rpm_list "$cache"); do
			[ -f "$cache/$folder/repodata/repomd.xml" ] || continue
			id=${folder%-*}
			[ "$id" != "$before" ] || id=$folder
			before=${folder%-*}
			dnf_index "$id" "$cache/$folder/repodata"
		done
	done
	return 0
}
dnf_index() {
	for file in $(rpm_list "$2"); do
		case $file in
		repomd.xml) kind=repomd ;;
		repomd.xml.asc) kind=repomd.asc ;;
		*primary.xml | *primary.xml.*) kind=primary ;;
		*updateinfo.xml | *updateinfo.xml.*) kind=updateinfo ;;
		*) continue ;;
		esac
		printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$kind" "repodata/$file" "$(wc -c <"$2/$file")" "$2/$file"
	done
}
