# What apk tells; changes nothing but, on request, the package lists. See Manager.

db=/lib/apk/db
world=/etc/apk/world
# Where staged packages lie, and those of installed versions stay: apk's own cache is used
# only where the admin has set it up.
staging=/var/cache/patchring-apk
# What the world was before an installation: there only while one runs, or was cut.
saved=/var/lib/patchring/apk-world

# The lists that detection saw are used to the end: apk fetches them anew by itself.
apk_quiet() { apk --no-progress --cache-max-age 525600 "$@"; }

# The index files, wherever apk keeps them.
apk_lists() {
	for folder in /etc/apk/cache /var/cache/apk; do
		# shellcheck disable=SC2010,SC2012 # set -f: there are no globs here
		[ -d "$folder" ] && ls -1 "$folder" | grep -E '^APKINDEX\.[A-Za-z0-9]+\.tar\.gz$' | head -n 100 | sed "s|^|$folder/|"
	done
	return 0
}
apk_stamp() { apk_lists | while read -r file; do stamp "$file"; done; }

# apk_sizes NAMES…: "name version size" of what the lists have.
apk_sizes() {
	has awk && has tar || return 0
	apk_lists | while read -r file; do tar -xzOf "$file" APKINDEX 2>/dev/null; done |
		awk -v wanted=" $* " '/^P:/ { p = substr($0, 3) } /^V:/ { v = substr($0, 3) }
			/^S:/ { if (index(wanted, " " p " ")) print p, v, substr($0, 3) }'
}

apk_probe() {
	section arch 2 apk --print-arch
	section locks 20 apk_locks
	apk_health
	section world 2000 cat "$world"
	[ "$mode" = refresh ] && section refresh 400 apk --no-progress --wait 60 update
	section stamp 100 apk_stamp
	mark "begin plan"
	plan=$(apk_quiet list --upgradable </dev/null)
	code=$?
	mark "end plan"
	section updates 12000 text "$plan"
	section updates_status 9 text "$code"
	names=$(text "$plan" | head -n 12000 | while read -r what _; do printf '%s\n' "${what%-*-*}"; done)
	# shellcheck disable=SC2086 # one word each
	[ -z "$names" ] || section sizes 12000 apk_sizes $names
}

apk_locks() {
	for f in "$db/lock" /usr/lib/apk/db/lock; do [ -h "${f%/apk/*}" ] || lock_holder "$f"; done
}

# "name arch version state" of all that is installed. What a failed script or file has
# left half done is marked.
apk_installed() {
	grep -E '^[PVAf]:|^$' "$db/installed" | {
		name='' state=installed
		while read -r line; do
			case $line in
			P:*) name=${line#P:} ;;
			V:*) version=${line#V:} ;;
			A:*) arch=${line#A:} ;;
			f:*[fsx]*) state=broken ;;
			'')
				[ -z "$name" ] || printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$state"
				name='' state=installed
				;;
			esac
		done
		[ -z "$name" ] || printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$state"
	}
}
apk_versions() {
	[ -r "$db/installed" ] || { echo "$db/installed can't be read" >&2; return 2; }
	wanted=" $* "
	apk_installed | while read -r name rest; do
		case $wanted in *" $name "*) printf '%s\t%s\n' "$name" "$rest" ;; esac
	done
}

# Lines of "name-version arch {origin} (license)", and more.
apk_available() {
	apk_quiet list --available "$@" | while read -r what arch _; do
		name=${what%-*-*}
		printf '%s\t%s\t%s\t\n' "$name" "$arch" "${what#"$name"-}"
	done
}

apk_broken() {
	[ -r "$db/installed" ] || { echo "$db/installed can't be read" >&2; return 2; }
	apk_installed | grep '	broken$' | cut -f 1
	return 0
}
apk_cut() {
	[ -e "$saved" ] && printf '%s\n' "$saved"
	return 0
}
apk_health() {
	section broken 200 apk_broken
	section cut 5 apk_cut
}

# apk removes the modules of the running kernel when it is replaced.
apk_signs() { section modules 200 ls -1 /lib/modules; }

# The packages to go, as apk's world says that something must not be there.
apk_goes() {
	[ "$back" = yes ] || return 0
	for name in $remove; do printf '!%s\n' "$name"; done
}

# apk_simulate WORDS…: files may be among them.
apk_simulate() {
	sed 's/^/world /' "$world"
	apk_would "$@"
}
# shellcheck disable=SC2046 # one word each
apk_would() { apk_quiet add --simulate "$@" $(apk_goes); }

# apk_pkg PATH: "name arch version path" of a package file.
apk_pkg() {
	info=$(tar -xzOf "$1" .PKGINFO 2>/dev/null </dev/null)
	name=$(apk_field pkgname) version=$(apk_field pkgver) arch=$(apk_field arch)
	[ -n "$name" ] && printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$1"
}
apk_field() { text "$info" | sed -n "s/^$1 = //p" | head -n 1; }

# The file of a word in a folder, by the name that repositories give it.
apk_in() {
	[ -f "$1/${2%%=*}-${2#*=}.apk" ] && printf '%s\n' "$1/${2%%=*}-${2#*=}.apk"
}

# What was downloaded for these words.
apk_staged() {
	for word in "$@"; do
		case $word in
		/*) apk_pkg "$word" ;;
		*) path=$(apk_in "$staging" "$word") && apk_pkg "$path" ;;
		esac
	done
	return 0
}

# The package files of a folder and of those in it.
apk_files() {
	# shellcheck disable=SC2010,SC2012
	ls -1 "$1" | head -n 2000 | while read -r file; do
		if [ -h "$1/$file" ]; then continue
		elif [ -d "$1/$file" ]; then apk_files "$1/$file"
		else case $file in *.apk) apk_pkg "$1/$file" ;; esac
		fi
	done
	return 0
}

# The index files of the repositories: "repository kind name size path". Which address one
# is of, its name does not tell.
apk_indexes() {
	apk_lists | while read -r path; do
		file=${path##*/}
		repository=${file#APKINDEX.}
		printf '%s\tapkindex\tAPKINDEX.tar.gz\t%s\t%s\n' "${repository%.tar.gz}" "$(wc -c <"$path")" "$path"
	done
}
