# What rpm-ostree tells; changes nothing but, on request, what is known of the newest
# image. See Manager. Its words are os-image=VERSION_SECONDS_CHECKSUM.

ostree_probe() {
	section arch 2 uname -m
	section locks 20 ostree_locks
	[ "$mode" = refresh ] && section refresh 400 rpm-ostree upgrade --preview
	# There only as long as something newer is known.
	section stamp 20 stamp /var/cache/rpm-ostree/cached-update.gv
}

# ostree_fields INDENT: "version seconds checksum" of each object whose members stand
# INDENT deep in rpm-ostree's JSON, which it always writes a member a line. Where packages
# are layered, the image below them counts.
ostree_fields() {
	version='' seconds='' sum='' base_version='' base_seconds='' base_sum=''
	while IFS= read -r line; do
		case $line in "$1"\"*) ;; "${1%  }"\}*) ostree_field; continue ;; *) continue ;; esac
		value=${line#*\" : }
		value=${value%,}
		value=${value#\"}
		value=${value%\"}
		case $line in
		"$1\"version\" : "*) version=$value ;;
		"$1\"timestamp\" : "*) seconds=$value ;;
		"$1\"checksum\" : "*) sum=$value ;;
		"$1\"base-version\" : "*) base_version=$value ;;
		"$1\"base-timestamp\" : "*) base_seconds=$value ;;
		"$1\"base-checksum\" : "*) base_sum=$value ;;
		esac
	done
}
ostree_field() {
	if [ -n "$base_sum" ]; then version=$base_version seconds=$base_seconds sum=$base_sum; fi
	case $version in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9.+~^-]*) version=0 ;; esac
	[ -z "$sum" ] || printf '%s %s %s\n' "$version" "${seconds:-0}" "$sum"
	version='' seconds='' sum='' base_version='' base_seconds='' base_sum=''
}

# The images that lie here, the one that the next boot starts first.
ostree_here() { rpm-ostree status --json | ostree_fields '      '; }
# The newest that is known: of what stands so deep, only that has a checksum.
ostree_newest() { rpm-ostree status --json | ostree_fields '    '; }

# What the next boot starts counts as installed.
ostree_versions() {
	case " $* " in *" os-image "*) ;; *) return 0 ;; esac
	here=$(ostree_here)
	[ -n "$here" ] || { echo "rpm-ostree status was not understood" >&2; return 2; }
	text "$here" | head -n 1 | while read -r version seconds sum; do
		printf 'os-image\t%s\t%s_%s_%s\tinstalled\n' "$(uname -m)" "$version" "$seconds" "$sum"
	done
}

ostree_available() {
	case " $* " in *" os-image "*) ;; *) return 0 ;; esac
	{ ostree_here; ostree_newest; } | while read -r version seconds sum; do
		printf 'os-image\t%s\t%s_%s_%s\tostree\n' "$(uname -m)" "$version" "$seconds" "$sum"
	done
}

# An image has no file.
ostree_files() { :; }
ostree_staged() { :; }

# rpm-ostree's own transactions.
ostree_locks() {
	rpm-ostree status --json | grep -q '^  "transaction" : \[' || return 0
	daemon=$(systemctl show -p MainPID rpm-ostreed.service 2>/dev/null </dev/null)
	daemon=${daemon#MainPID=}
	printf '/ostree %s rpm-ostree\n' "${daemon:-0}"
}

ostree_health() { section image 60000 rpm-ostree status --json; }
ostree_signs() { section image 60000 rpm-ostree status --json; }

# ostree_simulate WORD: what is here, and whether the image can be had where it is not.
ostree_simulate() {
	said=$(rpm-ostree status --json) || return
	text "$said"
	for word in "$@"; do
		sum=${word##*_}
		case $said in *"\"$sum\""*) continue ;; esac
		rpm-ostree deploy --preview "$sum" >&2 </dev/null || return
	done
}
