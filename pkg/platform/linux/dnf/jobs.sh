# dnf's detached jobs. See Manager, and jobs.sh for the variables.
# dnf_attempt asks dnf once more before it acts: somebody else may have changed the host
# since the preflight. 78: it would do something else now; 79: it would go down from
# something newer. In both cases nothing was done.
dnf_attempt() {
	said=0
	plan=$(dnf_change look "$@" 2>&1) || said=$?
	case $said/$plan in
	*"Failed to obtain the transaction lock"* | *"already locked by"*) return 200 ;;
	0/*"Nothing to do"* | 1/*"Operation aborted"*)
		code=0
		dnf_exactly "$@" || code=$?
		[ "$code" -eq 0 ] || { printf '%s\n' "$plan"; return "$code"; }
		;;
	*)
		printf '%s\n' "$plan"
		return 78
		;;
	esac
	dnf_change act "$@"
}

dnf_stage() { dnf_change stage "$@"; }

# One by one: what can't be had must not keep out the others. Without the plugin that
# downloads, a reinstallation that only downloads does it.
dnf_keep() {
	folder=$1 missed=0
	shift
	for word in "$@"; do
		dnf_in "$folder" "$word" >/dev/null && continue
		path=$(dnf_downloaded "$word" | head -n 1)
		if [ -n "$path" ]; then
			cp "$path" "$folder/copy" && mv -f "$folder/copy" "$folder/${path##*/}" && continue
		fi
		dnf -q --setopt=exit_on_lock=True --setopt=metadata_expire=-1 download --destdir "$folder" "$word" >/dev/null 2>&1 ||
			dnf -q -y --setopt=exit_on_lock=True --setopt=metadata_expire=-1 --downloadonly --destdir "$folder" reinstall "$word" >/dev/null 2>&1
		dnf_in "$folder" "$word" >/dev/null && continue
		say "$word can't be had any more, and can't be kept"
		missed=1
	done
	return "$missed"
}

# 200 is a lock that another program holds: then nothing was done. As long as with apt.
dnf_install() {
	tries=0
	while :; do
		code=0
		dnf_attempt "$@" || code=$?
		if [ "$code" -ne 200 ] || [ "$tries" -ge 60 ]; then break; fi
		tries=$((tries + 1))
		sleep 10
	done
	case $code in
	200) printf '%s\n' "$plan" ;;
	78) echo "Error: dnf would now do something else than was planned; nothing was changed" ;;
	0) dnf_mark ;;
	esac
	return "$code"
}

# What came as a dependency is not what somebody wanted: else it would never be cleaned up.
# shellcheck disable=SC2086 # one word each
dnf_mark() {
	[ -n "$new" ] || return 0
	case $(dnf --version 2>/dev/null) in
	dnf5*) dnf -q -y -C mark dependency $new >/dev/null 2>&1 && return 0 ;;
	*) dnf -q -y -C mark remove $new >/dev/null 2>&1 && return 0 ;;
	esac
	say "could not mark as installed for others only: $new"
	return 0
}

# dnf_twice: of packages that a cut transaction has left in two versions, the newer ones.
dnf_twice() {
	dnf -q -C --setopt=exit_on_lock=True '--disablerepo=*' check --duplicates 2>/dev/null |
		while read -r old is a duplicate with newer rest; do
			[ "$is $a $duplicate $with$rest" = "is a duplicate with" ] && printf '%s\n' "$newer" && : "$old"
		done
}

# What came in a cut transaction is installed once more: its scripts may not have run, and
# only so the older version goes that was to go then. dnf has no more than that; where it
# would do anything else, a person is asked.
# shellcheck disable=SC2086 # one word each
dnf_repair() {
	twice=$(dnf_twice)
	if [ -z "$twice" ]; then
		dnf -q -C --setopt=exit_on_lock=True '--disablerepo=*' check --dependencies --duplicates && return 0
		echo "Error: this is for a person: there is nothing that dnf can put right by itself"
		return 1
	fi
	plan=$(dnf --setopt=exit_on_lock=True --setopt=metadata_expire=-1 --assumeno reinstall $twice 2>&1)
	other=$(printf '%s\n' "$plan" | grep -E '^[A-Z][a-z /]*:$' | grep -v '^Reinstalling:$')
	case $plan in *"Operation aborted"*) ;; *) other=refused ;; esac
	if [ -n "$other" ]; then
		printf '%s\n' "$plan"
		echo "Error: this is for a person: dnf would do more than install once more what came last"
		return 1
	fi
	dnf --setopt=exit_on_lock=True --setopt=metadata_expire=-1 -y reinstall $twice
}
