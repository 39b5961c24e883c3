# What pacman tells; changes nothing but, on request, patchring's own copy of the package
# lists. See Manager.

# The host's own lists are never refreshed: that, without an upgrade of everything, makes
# the next `pacman -S` of anybody a partial upgrade. The copy is readable for all, since
# pacman 7 downloads as a user of its own.
own=/var/lib/pacman
copy=/var/cache/patchring-pacman
# Where staged packages lie: pacman's own cache.
cache=/var/cache/pacman/pkg

# The lists that count: the copy, once it was refreshed.
pacman_lists() { if [ -e "$copy/refreshed" ]; then printf '%s\n' "$copy"; else printf '%s\n' "$own"; fi; }
pacman_asks() { pacman --dbpath "$(pacman_lists)" --noconfirm "$@"; }

pacman_refresh() {
	if [ -h "$copy" ]; then
		echo "error: $copy is a symbolic link; remove it" >&2
		return 1
	fi
	[ -d "$copy" ] || mkdir -m 755 "$copy" || return
	[ -h "$copy/local" ] || ln -s "$own/local" "$copy/local" || return
	pacman_unlock
	pacman -Sy --noconfirm --noprogressbar --dbpath "$copy" --logfile /dev/null || return
	: >"$copy/refreshed"
}

# pacman_unlock removes the lock that a cut run has left of the copy, which nobody else uses.
pacman_unlock() { [ -n "$(pacman_holders "$copy/db.lck")" ] || rm -f "$copy/db.lck"; }

# When the copy was fetched. pacman gives the lists themselves the server's time.
pacman_stamp() {
	if [ -e "$copy/refreshed" ]; then
		stamp "$copy/refreshed"
		return 0
	fi
	pacman_dbs | while read -r db; do stamp "$db"; done
}

# The files of the lists.
pacman_dbs() {
	sync=$(pacman_lists)/sync
	[ -d "$sync" ] || return 0
	# shellcheck disable=SC2010,SC2012 # set -f: there are no globs here
	ls -1 "$sync" | grep -E '^[A-Za-z0-9][A-Za-z0-9._+-]*\.db(\.sig)?$' | head -n 200 | sed "s|^|$sync/|"
	return 0
}

# pacman_holders FILE: which processes have it open. pacman keeps its lock open as long as
# it works, and writes no process number into it.
pacman_holders() {
	[ -e "$1" ] || return 0
	# shellcheck disable=SC2010 # numbers alone
	ls -1 /proc | grep -E '^[0-9]+$' | while read -r pid; do
		case $(ls -l "/proc/$pid/fd" 2>/dev/null) in
		*" -> $1"*) printf '%s %s %s\n' "$1" "$pid" "$(head -n 1 "/proc/$pid/comm" 2>/dev/null)" ;;
		esac
	done
}
pacman_locks() { pacman_holders "$own/db.lck"; }

# A lock that nobody holds: pacman was cut off, and refuses everything until a person has
# removed it.
pacman_stale() {
	[ -e "$own/db.lck" ] && [ -z "$(pacman_locks)" ] && [ -e "$own/db.lck" ] && printf '%s\n' "$own/db.lck"
	return 0
}

# What the admin has told pacman to leave alone.
pacman_holds() {
	pacman-conf IgnorePkg || return
	pacman-conf IgnoreGroup | sed 's/^/@/'
}

# pacman_fields WHAT…: "name arch version rest" of each package of -Qi, -Qip and -Si, where
# rest is the text that is given, or the repository for "".
pacman_fields() {
	rest=$1 repository=''
	grep -E '^(Repository|Name|Version|Architecture) +: ' | while read -r key _ value; do
		case $key in
		Repository) repository=$value ;;
		Name) name=$value ;;
		Version) version=$value ;;
		Architecture) printf '%s\t%s\t%s\t%s\n' "$name" "$value" "$version" "${rest:-$repository}" ;;
		esac
	done
}

pacman_versions() { pacman_told installed pacman -Qi -- "$@"; }
pacman_available() { pacman_told '' pacman_asks -Si -- "$@"; }
pacman_pkg() { pacman -Qip -- "$1" </dev/null | pacman_fields "$1"; }
# pacman_told REST COMMAND…: the fields of what it says, with its exit status: 1 where one of
# the packages is not there.
pacman_told() {
	rest=$1
	shift
	said=$("$@") || {
		code=$?
		text "$said" | pacman_fields "$rest"
		return "$code"
	}
	text "$said" | pacman_fields "$rest"
}

# Where the updates come from, and how much there is to download.
pacman_details() { pacman_asks -S -dd --print-format '%n %v %s %l %r' -- "$@"; }

pacman_probe() {
	section arch 2 uname -m
	section locks 20 pacman_locks
	pacman_health
	section holds 500 pacman_holds
	[ "$mode" = refresh ] && section refresh 400 pacman_refresh
	section stamp 500 pacman_stamp
	mark "begin plan"
	plan=$(pacman_asks -Qu </dev/null)
	code=$?
	mark "end plan"
	section updates 12000 text "$plan"
	section updates_status 9 text "$code"
	names=$(text "$plan" | head -n 12000 | sed -n 's/^\([A-Za-z0-9_][A-Za-z0-9+._-]*\) .* -> .*/\1/p')
	# shellcheck disable=SC2086 # one word each
	[ -z "$names" ] || section details 12000 pacman_details $names
}

pacman_health() {
	section stale 5 pacman_stale
	section check 200 pacman -Dk
}

# pacman removes the modules of the running kernel when it is replaced.
pacman_signs() { section modules 200 pacman_modules; }
pacman_modules() {
	[ -d /usr/lib/modules ] || { echo "there is no /usr/lib/modules" >&2; return 1; }
	# shellcheck disable=SC2010,SC2012
	ls -1 /usr/lib/modules | head -n 100 | while read -r release; do
		[ -r "/usr/lib/modules/$release/pkgbase" ] && printf '%s %s\n' "$release" "$(head -n 1 "/usr/lib/modules/$release/pkgbase")"
	done
	return 0
}

# pacman_in FOLDER WORD: the package file in the folder, by the name that repositories give it.
pacman_in() {
	prefix=${2%%=*}-${2#*=}-
	# shellcheck disable=SC2010,SC2012
	file=$(ls -1 "$1" 2>/dev/null | grep -F -e "$prefix" | while read -r file; do
		case ${file#"$prefix"} in "$file" | *-* | *.sig | *.part) ;; *.pkg.tar*) printf '%s\n' "$file" ;; esac
	done | head -n 1)
	[ -n "$file" ] && printf '%s\n' "$1/$file"
}

# pacman_cached NAMES…: the package files of these that its cache has. The repositories have
# the newest version alone: what an upgrade replaces is had from here, or not at all.
pacman_cached() {
	[ -d "$cache" ] || return 0
	# shellcheck disable=SC2010,SC2012
	ls -1 "$cache" | sed -n 's/^\(.*\)-\([^-]*-[^-]*\)-\([^-]*\)\.pkg\.tar\(\.[a-z0-9]*\)$/\1 \3 \2 \4/p' | while read -r name arch version ending; do
		case " $* " in *" $name "*) printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$cache/$name-$version-$arch.pkg.tar$ending" ;; esac
	done
}

# The words that are none of a file, and those that are.
pacman_specs() { for word in "$@"; do case $word in /*) ;; *) printf '%s\n' "$word" ;; esac done; }
pacman_given() { for word in "$@"; do case $word in /*) printf '%s\n' "$word" ;; esac done; }

# The packages to go, as far as they are here.
pacman_goes() {
	# shellcheck disable=SC2086
	[ "$back" != yes ] || [ -z "$remove" ] || pacman -Qq -- $remove 2>/dev/null
	return 0
}

# pacman_simulate WORDS…: what each verb would do. Between files and what is still to be
# downloaded pacman can't weigh dependencies; where both are among the words, that is left
# to the installation, which has files alone, and asks once more before it begins.
pacman_simulate() {
	pacman_holds | sed 's/^/hold /'
	pacman_asks -Qu 2>/dev/null | sed -n 's/^\([^ ]*\) .* \[ignored\]$/hold \1/p'
	plan=$(pacman_would "$@")
	code=$?
	text "$plan"
	names=$(text "$plan" | sed -n 's/^change \([^ ]*\) .*/\1/p')
	# shellcheck disable=SC2086 # one word each
	[ -z "$names" ] || pacman -Q -- $names 2>/dev/null | sed 's/^/is /'
	return "$code"
}
# shellcheck disable=SC2086
pacman_would() {
	specs=$(pacman_specs "$@") given=$(pacman_given "$@") loosely=
	[ -z "$specs" ] || [ -z "$given" ] || loosely=-dd
	[ -z "$specs" ] || pacman_asks -S $loosely --needed --print-format 'change %n %v %s %l %r' -- $specs || return
	[ -z "$given" ] || pacman_asks -U $loosely --needed --print-format 'change %n %v %s %l %r' -- $given || return
	goes=$(pacman_goes)
	[ -z "$goes" ] || pacman -Rdd --noconfirm --print-format 'remove %n %v' -- $goes
}

# What was downloaded for these words.
pacman_staged() {
	for word in "$@"; do
		case $word in
		/*) pacman_pkg "$word" ;;
		*) path=$(pacman_in "$cache" "$word") && pacman_pkg "$path" ;;
		esac
	done
	return 0
}

# The package files of a folder and of those in it.
pacman_files() {
	# shellcheck disable=SC2010,SC2012
	ls -1 "$1" | head -n 2000 | while read -r file; do
		if [ -h "$1/$file" ]; then continue
		elif [ -d "$1/$file" ]; then pacman_files "$1/$file"
		else case $file in *.sig) ;; *.pkg.tar*) pacman_pkg "$1/$file" ;; esac
		fi
	done
	return 0
}

# The index files of the repositories: "repository kind name size path".
pacman_indexes() {
	pacman_dbs | while read -r path; do
		file=${path##*/}
		case $file in
		*.sig) kind=pacman.sig repository=${file%.db.sig} ;;
		*) kind=pacman.db repository=${file%.db} ;;
		esac
		printf '%s\t%s\t%s\t%s\t%s\n' "$repository" "$kind" "$file" "$(wc -c <"$path")" "$path"
	done
}
