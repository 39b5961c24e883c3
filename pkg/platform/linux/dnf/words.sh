# What looking and acting have to agree in. See Manager; $back and $remove are set.
# shellcheck disable=SC2154 # what the script that this stands in is given


# The options that decide what dnf would do. A removal takes nothing else with it, and on
# the way back nothing is brought along that is only recommended.
dnf_agreed() {
	printf '%s\n' --setopt=exit_on_lock=True --setopt=clean_requirements_on_remove=False
	[ "$back" != yes ] || echo --setopt=install_weak_deps=False
}

# dnf_how HOW COMMAND…: HOW is look (from the cache: the lists that detection saw; nothing
# changes), stage (what is downloaded stays, whatever transaction comes between) or act
# (from the cache too: what was staged, and is proven, or nothing).
# shellcheck disable=SC2046 # words by way of the shell
dnf_how() {
	how=$1
	shift
	case $how in
	look) dnf -C $(dnf_agreed) --assumeno "$@" ;;
	stage) dnf $(dnf_agreed) --setopt=metadata_expire=-1 --setopt=keepcache=True -y --downloadonly "$@" ;;
	act) dnf -C $(dnf_agreed) -y "$@" ;;
	esac
}

# rpm_list FOLDER: the names in it.
rpm_list() { ls -1 "$1" 2>/dev/null; }

# dnf_rpm PATH…: "name arch version path" of package files.
dnf_rpm() {
	for path in "$@"; do
		rpm -q -p --nosignature --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t' "$path" && printf '%s\n' "$path"
	done
}

# dnf_in FOLDER WORD: the package file in the folder, by the name that repositories give it.
dnf_in() {
	file=$2
	case $file in *:*) file=${file%%:*} file=${file%-*}-${2#*:} ;; esac
	[ -f "$1/$file.rpm" ] && printf '%s\n' "$1/$file.rpm"
}

# dnf_downloaded WORD: the same in dnf's cache, wherever it is there.
dnf_downloaded() {
	for cache in /var/cache/dnf /var/cache/libdnf5; do
		[ -d "$cache" ] && rpm_list "$cache" | while read -r folder; do dnf_in "$cache/$folder/packages" "$1"; done
	done
	return 0
}

# The packages to go, as far as they are here: "name" or "name.arch".
dnf_goes() {
	[ "$back" = yes ] || return 0
	for name in $remove; do
		case $name in *:*) name=${name%:*}.${name##*:} ;; esac
		rpm -q "$name" >/dev/null 2>&1 && printf '%s\n' "$name"
	done
	return 0
}

# dnf_change HOW WORDS…: the one transaction that installs these exactly, and on the way
# back removes what is to go. Told an exact version, dnf goes down to it as well.
# shellcheck disable=SC2086 # one word each
dnf_change() {
	way=$1
	shift
	goes=$(dnf_goes)
	case $#/$goes in
	*/) dnf_how "$way" install "$@" ;;
	0/*) dnf_how "$way" remove $goes ;;
	*)
		case $(dnf --version 2>/dev/null) in
		dnf5*) dnf_how "$way" 'do' --action=install "$@" --action=remove $goes ;;
		*) dnf_both "$way" "$@" ;;
		esac
		;;
	esac
}

# dnf_both HOW WORDS…: dnf 4 installs and removes in one transaction in its shell alone.
# That always exits with 0, and goes on with what it has understood, so its words count:
# 0 it did it, 1 it was told not to, 200 it met a lock, 3 anything else.
# shellcheck disable=SC2086 # one word each
dnf_both() {
	way=$1
	shift
	{
		printf 'install'
		printf ' %s' "$@"
		printf '\nremove'
		printf ' %s' $goes
		printf '\nrun\nexit\n'
	} | dnf_how "$way" shell /dev/stdin 2>&1 | (
		code=3 wrong=
		while IFS= read -r line; do
			printf '%s\n' "$line"
			case $line in
			*"already locked by"* | *"Failed to obtain the transaction lock"*) wrong=200 ;;
			*"Operation aborted"*) code=1 ;;
			*"Unable to find a match"* | "No match for "* | *"cannot downgrade"* | "No packages marked"* | "Error:"*) wrong=${wrong:-3} ;;
			"Complete!") code=0 ;;
			esac
		done
		exit "${wrong:-$code}"
	)
}
