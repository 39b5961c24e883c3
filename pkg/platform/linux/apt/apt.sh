# What apt and dpkg tell; changes nothing but, on request, the package lists. See Manager.

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

# Waits for whoever fetches the lists: apt-get does not.
apt_refresh() {
	left=60
	while [ "$left" -gt 0 ] && [ -n "$(lock_holder /var/lib/apt/lists/lock)" ]; do
		sleep 1
		left=$((left - 1))
	done
	apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Retries=1 -o Acquire::http::Timeout=30 \
		-o Acquire::https::Timeout=30 update
}
apt_stamp() { stamp /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists /var/lib/apt/lists/partial; }

# apt_would COMMAND: what it would do to the whole system.
apt_would() {
	# shellcheck disable=SC2046 # words by way of the shell
	apt-get -s -V $(apt_agreed) -o Debug::NoLocking=1 -o APT::Get::Show-User-Simulation-Note=false "$@" </dev/null
}
apt_sizes() {
	# shellcheck disable=SC2046
	apt-get -qq --print-uris $(apt_agreed) -o Debug::NoLocking=1 --with-new-pkgs upgrade
}

# The packages that somebody has pinned by name.
apt_pins() {
	[ -s /etc/apt/preferences ] || [ -n "$(ls -1 /etc/apt/preferences.d 2>/dev/null)" ] || return 0
	apt-cache policy | sed -n 's/^     \([^ ]*\) -> .*/\1/p' | sort -u | head -n 500
}

# The signed lists that say until when they are valid, unless somebody has told apt to
# take older ones.
apt_valid() {
	# shellcheck disable=SC2010,SC2012 # set -f: there are no globs here
	for folder in /etc/apt /etc/apt/sources.list.d /etc/apt/apt.conf.d; do
		[ -d "$folder" ] && ls -1 "$folder" | while read -r file; do
			[ -f "$folder/$file" ] && grep -i 'check-valid-until' "$folder/$file"
		done
	done | grep -q -i -E 'no|false|0' && return 0
	cd /var/lib/apt/lists || return
	# shellcheck disable=SC2010,SC2012,SC2046
	grep -H '^Valid-Until: ' /dev/null $(ls -1 | grep 'Release$')
	return 0
}

apt_probe() {
	section arch 2 dpkg --print-architecture
	section audit 200 dpkg --audit
	section journal 20 dpkg_journal
	section locks 20 apt_locks
	section holds 2000 apt-mark showhold
	[ "$mode" = refresh ] && section refresh 400 apt_refresh
	section stamp 9 apt_stamp
	section lists 2000 ls -1 /var/lib/apt/lists
	section valid 500 apt_valid
	apt_pending
}

apt_pending() {
	mark "begin plan"
	plan=$(apt_would --with-new-pkgs upgrade)
	code=$?
	mark "end plan"
	section updates 12000 text "$plan"
	section updates_status 9 text "$code"
	[ "$code" -eq 0 ] || section check 60 apt_check
	pins=$(apt_pins)
	section pins 500 text "$pins"
	names="$(apt_names "$plan") $pins"
	[ -n "${names# }" ] || return 0
	section sizes 6000 apt_sizes
	section indexes 1000 apt-cache policy
	# shellcheck disable=SC2086 # one word each
	section policy 60000 apt-cache policy $names
	case $plan in *"have been kept back"*) section full 12000 apt_would dist-upgrade ;; esac
}

apt_locks() {
	for f in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/cache/apt/archives/lock; do lock_holder "$f"; done
}
dpkg_journal() {
	[ -d /var/lib/dpkg/updates ] && ls -1 /var/lib/dpkg/updates
	return 0
}
# shellcheck disable=SC2016 # fields of dpkg
apt_versions() { dpkg-query -W -f '${Package}\t${Architecture}\t${Version}\t${db:Status-Status}\n' -- "$@"; }
apt_check() { apt-get -q -o Debug::NoLocking=1 check; }
# On the way back a package that could not be configured is what is to be replaced: only
# whether apt would do it counts, and a journal that dpkg could not finish.
apt_health() {
	audit="dpkg --audit" check=apt_check
	[ "$back" = yes ] && audit=true check=true
	# shellcheck disable=SC2086 # words
	section audit 200 $audit
	section journal 20 dpkg_journal
	section check 60 "$check"
}
apt_signs() { section image 5 running_image; }
# shellcheck disable=SC2016
running_image() { dpkg-query -W -f '${Version} ${db:Status-Status}\n' "linux-image-$(uname -r)"; }

# Lines of "  name | version | repository suite/component arch Packages". A package for all
# architectures stands in the lists of each; one of a foreign architecture is asked for by it.
apt_available() {
	names=$(for name in "$@"; do
		printf '%s\n' "$name"
		for arch in $(dpkg --print-foreign-architectures); do printf '%s:%s\n' "$name" "$arch"; done
	done)
	# shellcheck disable=SC2086 # one word each
	apt-cache madison -- $names | grep ' Packages$' | while IFS=' |' read -r name version repository; do
		arch=
		case $name in *:*) arch=${name#*:} name=${name%%:*} ;; esac
		repository=${repository% * Packages}
		printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$repository"
	done | uniq
}

# The package files of a folder and of those in it.
apt_files() {
	# shellcheck disable=SC2012 # set -f: there are no globs here
	ls -1 "$1" | head -n 2000 | while read -r file; do
		if [ -d "$1/$file" ] && [ ! -h "$1/$file" ]; then
			apt_files "$1/$file"
			continue
		fi
		case $file in *.deb) apt_deb "$1/$file" ;; esac
	done
}

# The words of a work name all that it installs, so the cache's file of each is known.
apt_staged() {
	for word in "$@"; do
		case $word in
		/*) apt_deb "$word" ;;
		*) path=$(apt_in /var/cache/apt/archives "$word") && apt_deb "$path" ;;
		esac
	done
	return 0
}

# The index files of the repositories: "repository kind name size path". apt keeps
# them by their address, with _ for / and %5f for _. Names are those of the Release file,
# which knows of no local compression.
apt_indexes() {
	cd /var/lib/apt/lists || return
	# shellcheck disable=SC2012
	files=$(ls -1 | head -n 5000)
	text "$files" | grep -E '_(In)?Release$' | while read -r release; do
		of=${release%_*}
		case $release in
		*_InRelease) apt_index "$of" inrelease InRelease "$release" ;;
		*) apt_index "$of" release Release "$release"
			[ -f "$release.gpg" ] && apt_index "$of" release.gpg Release.gpg "$release.gpg" ;;
		esac
		text "$files" | grep -F "${of}_" | grep -E '_Packages(\.[a-z0-9]+)?$' | while read -r file; do
			name=${file#"${of}_"}
			# Another repository's name may go on from this one's.
			[ "$name" = "$file" ] || apt_index "$of" packages "$(text "${name%Packages*}Packages" | tr _ / | sed 's/%5f/_/g')" "$file"
		done
	done
	return 0
}
apt_index() { printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(wc -c <"$4")" "/var/lib/apt/lists/$4"; }
