# zypper's detached jobs. See Manager, and jobs.sh for the variables.

# zypper_run HOW WORDS…: the lists that detection saw are used to the end. Nothing is
# agreed to: no license, no key, no unsigned file, no other package's file replaced.
zypper_run() {
	how=$1
	shift
	# shellcheck disable=SC2046 # words by way of the shell
	zypper -n --no-refresh install "$how" $(zypper_way) -- "$@" $(zypper_gone)
}

# zypper_patient COMMAND…: 7 is a lock that another program holds: then nothing was done.
# As long as with apt.
zypper_patient() {
	tries=0
	while :; do
		code=0
		"$@" || code=$?
		if [ "$code" -ne 7 ] || [ "$tries" -ge 60 ]; then return "$code"; fi
		tries=$((tries + 1))
		sleep 10
	done
}

zypper_stage() { zypper_patient zypper_run --download-only "$@"; }

# The download command says 0 whatever it could not find: the files are counted.
zypper_keep() {
	folder=$1
	shift
	got=$(zypper -n --xmlout --no-refresh download -- "$@") || return
	taken=$(zypper_tags "$got" | sed -n 's/^<localfile path="\(\/[^"]*\)".*/\1/p' | zypper_take "$folder")
	[ "$(printf '%s\n' "$taken" | grep -c /)" -eq $# ]
}
zypper_take() {
	while read -r path; do
		cp "$path" "$1/" || continue
		printf '%s\n' "$path"
		case $path in "$packages"/*) rm -f "$path" ;; esac
	done
}

# The needed patches that want a reboot. Neither does zypper say so where packages are
# named one by one, nor does its needs-rebooting know of them.
zypper_rebooting() {
	listed=$(zypper -n --xmlout --no-refresh list-patches)
	zypper_tags "$listed" | grep ' restart="true"' | zypper_patches
}

# zypper_exactly WORDS…: 80 where zypper would do more, less or other than these words and
# what is to go, because something has changed since the preflight. Told an exact version, it
# would follow it to another vendor, take others away, or do nothing where a newer one is.
# shellcheck disable=SC2046 # words by way of the shell
zypper_exactly() {
	code=0
	plan=$(zypper -n --xmlout --no-refresh install --details --dry-run $(zypper_way) -- "$@" $(zypper_gone)) || code=$?
	case $code in
	0 | 100 | 101 | 102) ;;
	*)
		zypper_tags "$plan" | sed -n 's/^<[a-z]*[^>]*>\(.*\)/Error: \1/p'
		return "$code"
		;;
	esac
	rows=$(zypper_tags "$plan" | zypper_rows) planned=$(zypper_words "$@")
	other=$(zypper_other; zypper_less)
	[ -z "$other" ] && return 0
	text "$other" | sed 's/^/Error: not as planned: /'
	echo "Error: zypper would now do something else than was planned; nothing was changed"
	return 78
}

# zypper_rows: of the summary's tags "GROUP name.arch=edition" a line, and how many packages
# it speaks of. What is not understood keeps its form, which is nothing that was planned.
zypper_rows() {
	group=
	sed 's/^<solvable type="package" name="\([^" ]*\)" edition="\([^" ]*\)" arch="\([^" ]*\)".*/=\1.\3=\2/' | while IFS= read -r tag; do
		case $tag in
		'<install-summary '*)
			tag=${tag#*packages-to-change=\"}
			printf 'total %s\n' "${tag%%\"*}"
			;;
		'<to-'*) group=${tag#<to-} group=${group%%>*} ;;
		'</to-'*) group= ;;
		'='* | '<solvable'*)
			tag=${tag#=}
			[ -z "$group" ] || printf '%s %s\n' "$group" "${tag%%=*}=$(zypper_edition "${tag#*=}")"
			;;
		esac
	done
}
zypper_edition() { printf '%s\n' "${1#0:}"; }

# zypper_words WORDS…: "name.arch=edition" of each, of package files too.
zypper_words() {
	for word in "$@"; do
		case $word in
		/*) zypper_rpm "$word" | while IFS='	' read -r name arch version _; do printf '%s\n' "$name.$arch=${version#0:}"; done ;;
		*) printf '%s\n' "${word%%=*}=$(zypper_edition "${word#*=}")" ;;
		esac
	done
}

# zypper_has LIST LINE: whether it is one of the list.
zypper_has() { text "$1" | grep -q -F -x -e "$2"; }

# zypper_other: what nobody has planned. On the way back a package may return to the vendor
# that it came from, and stands in the group of its downgrade as well.
zypper_other() {
	text "$rows" | while read -r group what; do
		case $group/$back in
		total/* | /*) continue ;;
		install/* | upgrade/* | change-arch/* | downgrade/yes | change-vendor/yes) zypper_has "$planned" "$what" && continue ;;
		remove/yes)
			name=${what%%=*}
			case " $remove " in *" $name "* | *" ${name%.*} "*) continue ;; esac
			;;
		esac
		printf '%s:%s\n' "$group" "$what"
	done
	total=$(text "$rows" | sed -n 's/^total //p')
	named=$(text "$rows" | grep -v -e '^total ' -e '^change-vendor ' | cut -d ' ' -f 2 | sort -u | grep -c .)
	[ "$total" = "$named" ] || echo "summary:$total/$named"
}

# zypper_less: what is planned, and would not be done, though it is not done yet.
zypper_less() {
	coming=$(text "$rows" | sed -n -E 's/^(install|upgrade|change-arch|downgrade) //p')
	for word in $planned; do
		zypper_has "$coming" "$word" || zypper_has "$(zypper_here "${word%%=*}")" "$word" || printf 'not:%s\n' "$word"
	done
	[ "$back" = yes ] || return 0
	going=$(text "$rows" | sed -n -E 's/^remove ([^=]*)=.*/\1/p')
	for name in $remove; do
		[ -z "$(zypper_here "$name")" ] || zypper_has "$going" "$name" || printf 'stays:%s\n' "$name"
	done
}

# zypper_here NAME.ARCH: "name.arch=edition" of what is installed of it.
zypper_here() {
	rpm -q --qf '%{NAME}.%{ARCH}=%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n' -- "$1" 2>/dev/null </dev/null |
		grep -F -e "$1=" | sed 's/=0:/=/'
}

# zypper_rounds WORDS…: 103 is told after zypper has updated itself: then the rest follows
# in another run.
zypper_rounds() {
	for round in 1 2 3; do
		code=0
		zypper_exactly "$@" || return
		zypper_run --details "$@" || code=$?
		[ "$code" -eq 103 ] || break
		say "round $round: zypper has updated itself, and is run again"
	done
	return "$code"
}

zypper_install() {
	before=$(zypper_rebooting)
	code=0
	zypper_patient zypper_rounds "$@" || code=$?
	# shellcheck disable=SC2046,SC2086 # one word each
	changed=$(printf '%s\n' $before $(zypper_rebooting) | sort | uniq -u)
	[ -z "$changed" ] || printf '%s\n' "$changed" >>"$suggested"
	[ "$code" -eq 102 ] || return "$code"
	echo zypper >>"$suggested"
}

zypper_repair() { :; }
