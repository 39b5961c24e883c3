#!/bin/sh
# Stands for FreeBSD's tools in tests, as their manuals have them; unchecked. Its own name
# says which. $STATE/installed and $STATE/repository have "name version" lines, and
# $STATE/base the base system's installed and newest version.
said() { printf '%s\n' "$*" >>"$STATE/log"; }
in_repository() { grep -q -x -F -e "${1%-*} ${1##*-}" "$STATE/repository"; }
here() { grep -e "^$1 " "$STATE/installed" | cut -d ' ' -f 2; }
set_version() { # name version
	{ grep -v -e "^$1 " "$STATE/installed"; [ -z "${2:-}" ] || echo "$1 $2"; } >"$STATE/new"
	mv "$STATE/new" "$STATE/installed"
}
would() { # words
	for word in "$@"; do
		old=$(here "${word%-*}")
		if [ -z "$old" ]; then printf 'New packages to be INSTALLED:\n\t%s: %s [FreeBSD]\n\n' "${word%-*}" "${word##*-}"
		else printf 'Installed packages to be UPGRADED:\n\t%s: %s -> %s [FreeBSD]\n\n' "${word%-*}" "$old" "${word##*-}"; fi
	done
}
words() { # the words that are no options
	for word in "$@"; do case $word in -*) ;; *) printf '%s\n' "$word" ;; esac; done
}

pkg() {
	verb=$1
	shift
	case "$verb $*" in
	-N*) return 0 ;;
	'config PKG_CACHEDIR') echo "$STATE/cache" ;;
	info*) return 1 ;;
	'query -F '*) # name-version.pkg
		file=${2##*/}
		file=${file%.pkg}
		case $3 in
		'%n') echo "${file%-*}" ;;
		'%n %v') echo "${file%-*} ${file##*-}" ;;
		'%n\t%q\t%v') printf '%s\tFreeBSD:14:amd64\t%s\n' "${file%-*}" "${file##*-}" ;;
		esac
		;;
	'query %v '*) here "$2" ;;
	'query %a '*) echo 1 ;;
	query*) while read -r name version; do printf '%s\tFreeBSD:14:amd64\t%s\n' "$name" "$version"; done <"$STATE/installed" ;;
	rquery*) while read -r name version; do printf '%s\tFreeBSD:14:*\t%s\tFreeBSD\n' "$name" "$version"; done <"$STATE/repository" ;;
	'upgrade -n -U')
		while read -r name version; do
			[ -z "$(here "$name")" ] || [ "$(here "$name")" = "$version" ] || would "$name-$version"
		done <"$STATE/repository"
		return 1
		;;
	'lock -l -q') cat "$STATE/locked" 2>/dev/null ;;
	'audit ') cat "$STATE/audit"; return 1 ;;
	check*) ;;
	'install -n '*)
		for word in $(words "$@"); do
			in_repository "$word" || { echo "pkg: No packages available to install matching '$word' have been found in the repositories" >&2; return 3; }
			would "$word"
		done
		[ ! -e "$STATE/more" ] || would "$(cat "$STATE/more")"
		return 1
		;;
	install*)
		said "install $(words "$@" | tr '\n' ' ')"
		for word in $(words "$@"); do set_version "${word%-*}" "${word##*-}"; done
		;;
	fetch*) for word in $(words "$@"); do : >"$STATE/cache/$word.pkg"; done ;;
	'create -o '*) : >"$2/$3.pkg" ;;
	'add -f '*)
		file=${2##*/}
		file=${file%.pkg}
		said "add $file"
		set_version "${file%-*}" "${file##*-}"
		;;
	'set -y -A '*) said "automatic $4" ;;
	'delete -n '*) for word in $(words "$@") $(cat "$STATE/dependents" 2>/dev/null); do printf 'Installed packages to be REMOVED:\n\t%s: %s\n' "$word" "$(here "$word")"; done ;;
	delete*) for word in $(words "$@"); do said "delete $word"; set_version "$word"; done ;;
	*) echo "pkg $verb $*: not known to the test" >&2; return 64 ;;
	esac
}
base() {
	read -r installed newest <"$STATE/base"
	case $1 in
	updatesready) [ "$installed" != "$newest" ] || return 2 ;;
	fetch) ;;
	install) said "base $installed -> $newest"; echo "$newest $newest $installed" >"$STATE/base" ;;
	rollback)
		read -r _ _ former <"$STATE/base"
		said "base back to $former"
		echo "$former $newest" >"$STATE/base"
		;;
	*) return 64 ;;
	esac
}

case ${0##*/} in
pkg) pkg "$@" ;;
freebsd-update) base "$@" ;;
freebsd-version)
	read -r installed _ <"$STATE/base"
	case $1 in -u) echo "$installed" ;; *) cat "$STATE/kernel$1" ;; esac
	;;
uname) case ${1:-} in -s) echo FreeBSD ;; -p) echo amd64 ;; -r) cat "$STATE/kernel-r" ;; *) echo made-up ;; esac ;;
sysctl) case "$*" in '-b kern.boot_id') printf '\001\002\377' ;; *) echo 0 ;; esac ;;
ps) case "$*" in *jid=*comm=*) cat "$STATE/processes" ;; *) echo '  0' ;; esac ;;
esac
