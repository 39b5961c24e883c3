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

# zypper_safe WORDS…: told an exact version, zypper would follow it to another vendor.
# What the preflight saw may have changed since.
zypper_safe() {
	[ "$back" != yes ] || return 0
	plan=$(zypper -n --xmlout --no-refresh install --details --dry-run -- "$@") || {
		code=$?
		zypper_tags "$plan" | sed -n 's/^<[a-z]*[^>]*>\(.*\)/Error: \1/p'
		return "$code"
	}
	case $plan in
	*"<to-remove"* | *"<to-downgrade"* | *"<to-change-vendor"*)
		echo "Error: zypper would now remove, downgrade or take from another vendor; nothing was changed"
		return 80
		;;
	esac
}

# zypper_rounds WORDS…: 103 is told after zypper has updated itself: then the rest follows
# in another run.
zypper_rounds() {
	zypper_safe "$@" || return
	for round in 1 2 3; do
		code=0
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
