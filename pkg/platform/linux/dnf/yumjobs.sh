# yum's detached jobs. See Manager, and jobs.sh for the variables. From documentation, unchecked.

# yum waits for its lock for ever; what its holder installs meanwhile would be seen too late.
yum_patiently() {
	tries=0
	while [ -n "$(yum_locks)" ]; do
		[ "$tries" -lt 60 ] || { echo "Error: yum is locked"; return 200; }
		tries=$((tries + 1))
		sleep 10
	done
}
yum_stage() { yum_patiently && yum_change "-y --setopt=keepcache=1 --downloadonly" "$@"; }
yum_keep() {
	folder=$1 missed=0
	shift
	for word in "$@"; do
		dnf_in "$folder" "$word" >/dev/null && continue
		yumdownloader -q --destdir "$folder" "$word" >/dev/null 2>&1
		dnf_in "$folder" "$word" >/dev/null && continue
		say "$word can't be had any more, and can't be kept"
		missed=1
	done
	return "$missed"
}
# Only what was staged is installed, and only where yum would do just what was planned.
yum_install() {
	yum_patiently || return
	plan=$(yum_simulate "$@" 2>&1)
	code=0
	case $plan in
	*"Exiting on user command"* | *"Nothing to do"*) dnf_exactly "$@" || code=$? ;;
	*) code=78 ;;
	esac
	case $code/$plan in
	0/*"Exiting on user command"*) yum_change "-C -y" "$@" ;;
	0/*) ;;
	*)
		printf '%s\n' "$plan"
		echo "Error: yum would now do something else than was planned; nothing was changed"
		return "$code"
		;;
	esac
}

# What yum-complete-transaction does by itself has removed whole systems.
yum_repair() {
	yum -q check && return 0
	echo "Error: this is for a person: see yum history, and yum-complete-transaction of yum-utils"
	return 1
}
