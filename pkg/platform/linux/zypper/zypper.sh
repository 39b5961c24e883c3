# What zypper and rpm tell; changes nothing but, on request, the package lists. See Manager.

# zypper_tags takes XML apart, one tag a line, and drops what nobody reads: a patch may
# describe itself at any length. What is left of text has no line breaks.
zypper_tags() {
	text "$1" | tr '\n<' ' \n' | grep -E \
		'^(update|source|issue type="cve"|repo|lock|/lock|name|install-summary|/?to-[a-z-]*|solvable|message type="(error|warning)"|localfile|/stream)[ >/]|^description>Problem' |
		cut -c 1-4000 | sed 's/^/</'
}

# zypper_read COMMAND…: its tags, with its exit status. 106: it has skipped a repository.
zypper_read() {
	said=$(zypper -n --xmlout --no-refresh "$@")
	code=$?
	zypper_tags "$said"
	return "$code"
}

# Where it keeps what it downloads, by repository and architecture.
packages=/var/cache/zypp/packages
# Our own note of the patches that want a reboot; the reboot takes it away.
suggested=/run/patchring-reboot

# zypper_below FOLDER: the files below it.
zypper_below() {
	[ -d "$1" ] || return 0
	# shellcheck disable=SC2012 # set -f: there are no globs here
	ls -1 "$1" | while read -r entry; do
		if [ -h "$1/$entry" ]; then continue
		elif [ -d "$1/$entry" ]; then zypper_below "$1/$entry"
		else printf '%s\n' "$1/$entry"
		fi
	done
}

# What lists say of when they were fetched.
zypper_stamp() {
	zypper_below /var/cache/zypp/raw | while read -r f; do
		case $f in */repomd.xml | */cookie) stamp "$f" ;; esac
	done
}

# The names of patches, as far as they are plain words.
zypper_patches() { sed -n 's/^<update kind="patch" name="\([A-Za-z0-9_][A-Za-z0-9+._:-]*\)".*/\1/p' | sort -u | head -n 2000; }

# Of each patch its name and what it wants newer. A key stands at the beginning of a line,
# what belongs to it below it and indented.
zypper_fixes() {
	zypper -n --no-refresh info -t patch -- "$@" | grep -E '^(Name|Conflicts) *: |^    [^ ]+ < [^ ]+$' | cut -c 1-400
}
# A single package stands beside the key.
zypper_fixed() { sed -n 's/^\(Conflicts *:\)\{0,1\} *\([A-Za-z0-9_][A-Za-z0-9+._-]*\) < [^ ]*$/\2/p' | sort -u | head -n 6000; }

zypper_probe() {
	section arch 2 rpm --eval '%{_arch}'
	section locks 20 zypper_locks
	[ "$mode" = refresh ] && section refresh 400 zypper -n refresh
	section stamp 800 zypper_stamp
	section repos 2000 zypper_read repos
	section holds 8000 zypper_read locks
	section updates 40000 zypper_read list-updates
	section all 40000 zypper_read list-updates --all
	mark "begin lists"
	said=$(zypper -n --xmlout --no-refresh list-patches </dev/null)
	code=$?
	mark "end lists"
	patches=$(zypper_tags "$said")
	section patches 60000 text "$patches"
	section patches_status 9 text "$code"
	names=$(text "$patches" | zypper_patches)
	if [ -n "$names" ]; then
		# shellcheck disable=SC2086 # one word each
		fixes=$(zypper_fixes $names </dev/null)
		section fixes 100000 text "$fixes"
		fixed=$(text "$fixes" | zypper_fixed)
		# shellcheck disable=SC2086
		[ -z "$fixed" ] || section versions 12000 zypper_versions $fixed
	fi
}

zypper_locks() {
	pid_holder /run/zypp.pid
	for f in /usr/lib/sysimage/rpm/.rpm.lock /var/lib/rpm/.rpm.lock; do lock_holder "$f"; done
}
# rpm's exit status is how many of these are not installed, which is an answer: 1. Less
# than a line for each is none.
zypper_versions() {
	there=$(rpm -q --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\tinstalled\n' -- "$@")
	text "$there"
	[ "$(text "$there" | grep -c .)" -ge $# ] || return 2
	case $there in *" is not installed"*) return 1 ;; esac
}
zypper_health() { :; }

# zypper has a list of its own of what needs a reboot; what patches say of it, our own
# installations leave in a file that the reboot takes away.
zypper_signs() {
	section needs_rebooting 50 zypper -n needs-rebooting
	section reboot_suggested 200 zypper_suggested
}
zypper_suggested() {
	[ -e /run/reboot-needed ] && echo /run/reboot-needed
	[ -r "$suggested" ] && sort -u "$suggested"
	return 0
}

# Nothing found is an answer.
zypper_available() {
	found=$(zypper -n --xmlout --no-refresh search -s --match-exact -t package -- "$@")
	code=$?
	tab=$(printf '\t')
	zypper_tags "$found" | grep -v 'repository="(System Packages)"' |
		sed -n "s/^<solvable .*name=\"\\([^\"]*\\)\" .*edition=\"\\([^\"]*\\)\" arch=\"\\([^\"]*\\)\" repository=\"\\([^\"]*\\)\".*/\\1 \\3 \\2 \\4/p" |
		while read -r name arch version repository; do
			printf '%s\n' "$name$tab$arch$tab$version$tab$repository"
		done
	[ "$code" -eq 104 ] || return "$code"
}

# The files of one folder.
zypper_files() {
	zypper_below "$1" | grep '\.rpm$' | head -n 2000 | while read -r path; do zypper_rpm "$path"; done
}

# What was downloaded for these words. A file's name has no epoch.
zypper_staged() {
	wanted=' '
	for word in "$@"; do
		case $word in /*) continue ;; esac
		version=${word#*=}
		name=${word%%=*}
		wanted="$wanted${name%.*}-${version#*:}.${name##*.}.rpm "
	done
	zypper_below "$packages" | while read -r path; do
		case $wanted in *" ${path##*/} "*) zypper_rpm "$path" ;; esac
	done
}
zypper_rpm() {
	rpm -qp --nosignature --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t' "$1" 2>/dev/null </dev/null && printf '%s\n' "$1"
}

# The files of the repositories' indexes, as they were fetched.
zypper_indexes() {
	zypper_below /var/cache/zypp/raw | grep '/repodata/' | head -n 2000 | while read -r path; do
		file=${path##*/}
		case $file in
		repomd.xml) kind=repomd ;;
		repomd.xml.asc) kind=repomd.asc ;;
		repomd.xml.key) kind=repomd.key ;;
		*primary.xml | *primary.xml.*) kind=primary ;;
		*updateinfo.xml | *updateinfo.xml.*) kind=updateinfo ;;
		*) continue ;;
		esac
		repository=${path#/var/cache/zypp/raw/}
		printf '%s\t%s\t%s\t%s\t%s\n' "${repository%/repodata/*}" "$kind" "repodata/$file" "$(wc -c <"$path")" "$path"
	done
}

# The way back is told apart: only then may zypper take a version back, or a package
# away. It takes "-name" for what is to go, and "--" before that.
zypper_way() {
	[ "$back" != yes ] || echo --oldpackage
}
zypper_gone() {
	[ "$back" = yes ] || return 0
	for name in $remove; do printf '%s\n' "-$name"; done
}
# shellcheck disable=SC2046 # words by way of the shell
zypper_simulate() { zypper_read install --details --dry-run $(zypper_way) -- "$@" $(zypper_gone); }
