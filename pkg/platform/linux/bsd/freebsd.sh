# What FreeBSD's pkg and freebsd-update tell; changes nothing but, on request, what they
# know of updates. See Manager. The base system counts as one package, freebsd-base.

base=/var/db/freebsd-update

# A pkg that was never set up offers to install itself.
freebsd_pkg() { pkg -N >/dev/null 2>&1 </dev/null; }

# Only releases, and only where the base system is not made of packages.
freebsd_base() {
	has freebsd-update && has freebsd-version || return 1
	case $(freebsd-version -u) in *-RELEASE | *-RELEASE-p*) ;; *) return 1 ;; esac
	! freebsd_pkg || ! pkg info -e -g 'FreeBSD-runtime*' 2>/dev/null
}
freebsd_latest() {
	freebsd_base && [ -r "$base/tag" ] || return 0
	# kind, architecture, release, patch level and more
	head -n 1 "$base/tag" | tr '|' ' ' | while read -r kind _ release level _; do
		[ "$kind" = freebsd-update ] && printf '%s-p%s\n' "$release" "$level"
	done
}
# The newest of these, if it was fetched and waits.
freebsd_waits() {
	if freebsd-update updatesready >/dev/null 2>&1 </dev/null; then freebsd_latest; fi
	return 0
}
freebsd_fetch() { env PAGER=cat freebsd-update fetch --not-running-from-cron; }

freebsd_refresh() {
	code=0
	if freebsd_pkg; then
		pkg update -q || code=$?
		# That vulnerabilities are known of is no reason to fail.
		pkg audit -F -q >/dev/null || [ -s /var/db/pkg/vuln.xml ] || code=1
	fi
	! freebsd_base || freebsd_fetch || code=$?
	return "$code"
}

freebsd_probe() {
	section locks 20 freebsd_locks
	[ "$mode" = refresh ] && section refresh 4000 freebsd_refresh
	# shellcheck disable=SC2046 # one word each
	section stamp 40 stamp "$base/tag" $(freebsd_lists)
	section base 9 freebsd_base_state
	freebsd_pkg || { section pkg 5 false; return 0; }
	section pkg 5 true
	freebsd_health
	section plan 12000 pkg upgrade -n -U
	section holds 2000 pkg lock -l -q
	section audit 12000 pkg audit
}
freebsd_base_state() {
	freebsd_base || return 0
	say installed "$(freebsd-version -u)"
	say latest "$(freebsd_latest)"
	say waits "$(freebsd_waits)"
}

freebsd_lists() {
	for folder in /var/db/pkg /var/db/pkg/repos; do
		# shellcheck disable=SC2012
		[ -d "$folder" ] && ls -1 "$folder" | while read -r file; do
			case $file in repo-*.sqlite) printf '%s\n' "$folder/$file" ;; esac
			[ -f "$folder/$file/db" ] && printf '%s\n' "$folder/$file/db"
		done
	done
	return 0
}

# Without /proc, whoever runs is asked, in this jail.
freebsd_locks() {
	jail=$(ps -o jid= -p $$ | tr -d ' ')
	ps -axo pid=,jid=,comm= | while read -r pid jid name _; do
		case $jid:$name in
		"$jail:pkg" | "$jail:pkg-static" | "$jail:freebsd-update") printf '/var/db/pkg %s %s\n' "$pid" "$name" ;;
		esac
	done
}

# freebsd_arch ABI: the last part of "FreeBSD:14:amd64".
freebsd_arch() {
	tab='	'
	while IFS="$tab" read -r name abi rest; do
		arch=${abi##*:}
		case $arch in '*' | '') arch=noarch ;; esac
		printf '%s\t%s\t%s\n' "$name" "$arch" "$rest"
	done
}

freebsd_versions() {
	case " $* " in *" freebsd-base "*)
		freebsd_base && printf 'freebsd-base\t%s\t%s\tinstalled\n' "$(uname -p)" "$(freebsd-version -u)"
		;;
	esac
	freebsd_pkg || return 0
	wanted=" $* "
	tab='	'
	pkg query '%n\t%q\t%v' | freebsd_arch | while IFS="$tab" read -r name arch version; do
		case $wanted in *" $name "*) printf '%s\t%s\t%s\tinstalled\n' "$name" "$arch" "$version" ;; esac
	done
}

freebsd_available() {
	case " $* " in *" freebsd-base "*)
		for version in $(freebsd_latest) $(freebsd_former); do
			printf 'freebsd-base\t%s\t%s\tfreebsd-update\n' "$(uname -p)" "$version"
		done
		;;
	esac
	freebsd_pkg || return 0
	wanted=" $* "
	tab='	'
	pkg rquery -U '%n\t%q\t%v\t%R' | freebsd_arch | while IFS="$tab" read -r name arch rest; do
		case $wanted in *" $name "*) printf '%s\t%s\t%s\n' "$name" "$arch" "$rest" ;; esac
	done
}
# What a rollback would bring, as our own install has noted it.
freebsd_former() {
	read -r from to 2>/dev/null </var/lib/patchring/freebsd-base || return 0
	[ "$to" = "$(freebsd-version -u)" ] && printf '%s\n' "$from"
	return 0
}

freebsd_health() {
	section missing 200 pkg check -d -n -a -q
	section environments 5 freebsd_environments
}
# Boot environments of ZFS: a way back beyond packages, for a person.
freebsd_environments() {
	if has bectl && bectl check >/dev/null 2>&1 </dev/null; then echo bectl; fi
	return 0
}

freebsd_signs() {
	section base_versions 5 freebsd_kernels
}
freebsd_kernels() {
	has freebsd-version || return 0
	say running "$(freebsd-version -r)"
	[ -n "$(container)" ] || say installed "$(freebsd-version -k)"
}

# The file of name-version in pkg's cache: a symbolic link to what has a checksum in its name.
freebsd_cached() {
	cache=$(pkg config PKG_CACHEDIR)
	for ending in pkg txz; do
		[ -e "$cache/$1.$ending" ] && { printf '%s\n' "$cache/$1.$ending"; return 0; }
	done
	return 1
}
freebsd_file() {
	line=$(pkg query -F "$1" '%n\t%q\t%v' 2>/dev/null </dev/null | freebsd_arch)
	[ -n "$line" ] && printf '%s\t%s\n' "$line" "$1"
	return 0
}

freebsd_staged() {
	for word in "$@"; do
		case $word in
		freebsd-base=*) ;;
		/*) freebsd_file "$word" ;;
		*) path=$(freebsd_cached "$word") && freebsd_file "$path" ;;
		esac
	done
	return 0
}
freebsd_files() {
	# shellcheck disable=SC2012
	ls -1 "$1" | head -n 2000 | while read -r file; do
		if [ -h "$1/$file" ]; then continue
		elif [ -d "$1/$file" ]; then freebsd_files "$1/$file"
		else case $file in *.pkg | *.txz) freebsd_file "$1/$file" ;; esac
		fi
	done
	return 0
}

# freebsd_simulate WORDS…: first what files and the base system come to, in lines of our
# own, then what pkg says of the rest, and of what is to go.
freebsd_simulate() {
	named='' files=''
	for word in "$@"; do
		case $word in
		freebsd-base=*)
			printf 'patchring-base %s %s\n' "$(freebsd-version -u)" "${word#*=}"
			freebsd_base_could "${word#*=}" || return
			;;
		/*) files="$files $word" ;;
		*) named="$named $word" ;;
		esac
	done
	# shellcheck disable=SC2086 # one word each
	[ -z "$files" ] || freebsd_would_add $files || return
	# shellcheck disable=SC2086
	[ -z "$named" ] || freebsd_said pkg install -n -U -y $named || return
	# shellcheck disable=SC2086
	[ "$back" != yes ] || [ -z "$remove" ] || freebsd_said pkg delete -n -y $remove || return
	freebsd_pkg || return 0
	pkg lock -l -q | while read -r word _; do printf 'patchring-hold %s\n' "$word"; done
}
# With -n, exit status 1 tells of something to do as well.
freebsd_said() {
	code=0
	said=$("$@" </dev/null) || code=$?
	text "$said"
	[ "$code" -le 1 ] || return "$code"
	case $said in *'to be '*) return 0 ;; esac
	return "$code"
}
# Only the newest patch level can be had, and only the last one taken back.
freebsd_base_could() {
	case " $(freebsd-version -u) $(freebsd_latest) " in *" $1 "*) return 0 ;; esac
	[ "$back" = yes ] && [ "$(freebsd_former)" = "$1" ] && return 0
	echo "freebsd-update has $(freebsd_latest), and not $1" >&2
	return 1
}
# pkg add has no dry run: what it needs is looked up here.
freebsd_would_add() {
	coming=$(for path in "$@"; do pkg query -F "$path" '%n' </dev/null; done)
	for path in "$@"; do
		new=$(pkg query -F "$path" '%n %v' </dev/null) || return
		printf 'patchring-file %s %s\n' "$new" "$(pkg query '%v' "${new% *}" </dev/null)"
		for need in $(pkg query -F "$path" '%dn' </dev/null); do
			text "$coming" | grep -q -x -F -e "$need" && continue
			pkg info -e "$need" </dev/null || { echo "${new% *} needs $need, which is not installed" >&2; return 1; }
		done
	done
}
