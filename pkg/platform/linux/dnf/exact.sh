# What dnf and yum would do right before they act, held against the work. See Manager;
# $plan is what they have printed.
line='
'

# dnf_rows reads the table as readPlan does: "come", "down", "go", "replaced" or "other"
# and "name-version.arch" a line, "beside" with it for what replaces nothing.
dnf_rows() { printf '%s\nTransaction Summary\n' "$plan" | dnf_table; }
dnf_table() {
	heading='' row='' table=''
	while IFS= read -r printed; do
		case $table/$printed in
		/"Transaction Summary"* | yes/"Transaction Summary"*)
			# shellcheck disable=SC2086 # the fields of a row
			dnf_row $row
			row='' table='' heading=''
			;;
		/" Package "* | /"Package  "* | yes/" Package "* | yes/"Package  "*) table=yes ;;
		/* | yes/ | yes/===*) ;;
		yes/"  "*) dnf_more "$printed" ;;
		yes/" "*)
			# shellcheck disable=SC2086
			dnf_row $row
			row=$printed
			;;
		*)
			# shellcheck disable=SC2086
			dnf_row $row
			row='' heading=$printed
			;;
		esac
	done
}

# dnf_row NAME ARCH VERSION REPOSITORY…: below a heading.
dnf_row() {
	[ -n "$heading" ] && [ $# -gt 0 ] || return 0
	[ $# -ge 4 ] || { printf 'other %s\n' "$1"; return 0; }
	what=$1-${3#0:}.$2
	case $heading in
	"Installing:" | "Installing dependencies:" | "Installing weak dependencies:" | "Installing group/module packages:" | "Installing for dependencies:")
		printf 'come %s\nbeside %s\n' "$what" "$1.$2"
		;;
	"Upgrading:" | "Updating:" | "Updating for dependencies:") printf 'come %s\n' "$what" ;;
	"Downgrading:" | "Downgrading dependencies:") printf 'down %s\n' "$what" ;;
	"Removing:" | "Removing dependent packages:" | "Removing unused dependencies:" | "Removing for dependencies:") printf 'go %s\n' "$what" ;;
	*) printf 'other %s\n' "$what" ;;
	esac
}

# dnf_more LINE: a row goes on, or tells what it takes the place of. dnf 5 names the older
# version of the same package too.
dnf_more() {
	more=$1
	# shellcheck disable=SC2086 # the fields of both
	set -- $more
	if [ "$1" != replacing ]; then
		row="$row $more"
		return 0
	fi
	case $# in
	3) gone=${2%.*} arch=${2##*.} ;; # name.arch version
	*) gone=${2:-} arch=${3:-} ;;
	esac
	# shellcheck disable=SC2086
	set -- $row
	[ "${1:-}" = "$gone" ] || printf 'replaced %s\n' "$gone.$arch"
}

# dnf_words WORDS…: "name-version.arch" of each, of package files too.
dnf_words() {
	for word in "$@"; do
		case $word in
		/*) dnf_rpm "$word" | while IFS='	' read -r name arch version _; do printf '%s\n' "$name-${version#0:}.$arch"; done ;;
		*-0:*) printf '%s\n' "${word%-0:*}-${word##*-0:}" ;;
		*) printf '%s\n' "$word" ;;
		esac
	done
}

# dnf_has LIST LINE: whether it is one of the list.
dnf_has() {
	case "$line$1$line" in *"$line$2$line"*) return 0 ;; esac
	return 1
}

# dnf_there WORD: whether just this is installed.
dnf_there() {
	is=$(rpm -q --qf '%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\n' "${1%-*-*}" 2>/dev/null | sed 's/-0:\([^:]*\)$/-\1/')
	dnf_has "$is" "$1"
}

# dnf_exactly WORDS…: 78 where the plan is more, less or other than these words and what is
# to go; 79 where it goes down though this is no way back.
dnf_exactly() {
	rows=$(dnf_rows) planned=$(dnf_words "$@") going=$(dnf_goes)
	case $plan in *"Unable to find a match"* | *"No match for "*) return 78 ;; esac
	case $back/$line$rows in
	yes/*) ;;
	*"${line}down "*) return 79 ;;
	esac
	other=$(dnf_other; dnf_less)
	[ -z "$other" ] && return 0
	printf 'not as planned: %s\n' "$other"
	return 78
}

# dnf_other: the rows that nobody has planned.
dnf_other() {
	printf '%s\n' "$rows" | dnf_unplanned
}
dnf_unplanned() {
	taken=
	while read -r verb what; do
		case $verb in
		'' | beside) continue ;;
		come | down) dnf_has "$planned" "$what" && continue ;;
		replaced) dnf_stays "$what" && continue ;;
		go)
			name=${what%-*-*}.${what##*.}
			dnf_may_go "$name" && continue
			;;
		esac
		printf '%s %s\n' "$verb" "$what"
	done
}

# dnf_stays NAME.ARCH: a package that was split takes the place of its own older self.
dnf_stays() {
	printf '%s\n' "$rows" | (
		while read -r kind comes; do
			[ "$kind" = come ] || continue
			[ "${comes%-*-*}" = "${1%.*}" ] || continue
			case ${comes##*.}/${1##*.} in "${1##*.}"/* | noarch/* | */noarch) exit 0 ;; esac
		done
		exit 1
	)
}

# dnf_may_go NAME.ARCH: one version of what is to go; or, as the preflight has said, an old
# kernel that makes room for the new one, but not the one that runs.
dnf_may_go() {
	if [ "$back" = yes ]; then
		dnf_has "$taken" "$1" && return 1
		taken=$taken$line$1
		dnf_has "$going" "$1" || dnf_has "$going" "${1%.*}"
		return
	fi
	dnf_has "$rows" "beside $1" || return 1
	version=${what%.*}
	version=${version#"${1%.*}-"}
	case $(uname -r) in "${version#*:}.${1##*.}"* | '') return 1 ;; esac
}

# dnf_less: what is planned, and would not be done, though it is not done yet.
dnf_less() {
	for word in $planned; do
		dnf_has "$rows" "come $word" || dnf_has "$rows" "down $word" || dnf_there "$word" || printf 'not %s\n' "$word"
	done
	gone=$(printf '%s\n' "$rows" | while read -r verb what; do
		case $verb in
		go) printf '%s\n%s\n' "${what%-*-*}" "${what%-*-*}.${what##*.}" ;;
		replaced) printf '%s\n%s\n' "${what%.*}" "$what" ;;
		esac
	done)
	for name in $going; do dnf_has "$gone" "$name" || printf 'not -%s\n' "$name"; done
}
