# Installs exact versions with dnf, as a detached job. $@: packages with their
# versions. Ends with 79 where it did nothing because something newer is installed.
set -u -f
line='
'

# The lists that detection saw are used to the end. dnf must not wait for a lock by
# itself: what its holder installs meanwhile would be seen too late.
quick() { dnf --setopt=metadata_expire=-1 --setopt=exit_on_lock=True "$@"; }

# attempt asks dnf once more before it acts: told an exact version, it goes down to it
# from a newer one, and somebody else may have installed that since the preflight.
attempt() {
	plan=$(quick -C --assumeno install "$@" 2>&1)
	said=$?
	case $plan in *"Failed to obtain the transaction lock"*) said=200 ;; esac
	[ "$said" -eq 200 ] && return 200
	case $line$plan in
	*"${line}Downgrading:"*)
		printf '%s\n' "$plan"
		return 79
		;;
	esac
	quick -y install "$@"
}

# 200 is a lock that another program holds: then nothing was done. As long as with apt.
tries=0
while :; do
	code=0
	attempt "$@" || code=$?
	if [ "$code" -ne 200 ] || [ "$tries" -ge 60 ]; then break; fi
	tries=$((tries + 1))
	sleep 10
done
[ "$code" -ne 200 ] || printf '%s\n' "$plan"
exit "$code"
