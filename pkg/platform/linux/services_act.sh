# Restarts the services that still use replaced files; runs as a detached job, as the
# last of them may be the SSH server. $1 the words of $never as one.
LC_ALL=C; export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH
set -u -f
failed=0

say() { printf 'patchring: %s\n' "$*"; }
bad() { say "failed: $*"; failed=1; }

# settle UNIT: waits until it runs, or has given up; prints the last state.
settle() {
	left=15
	while :; do
		state=$(systemctl is-active "$1" 2>/dev/null </dev/null)
		case $state in activating | reloading | deactivating) ;; *) break ;; esac
		[ "$left" -gt 0 ] || break
		sleep 1
		left=$((left - 1))
	done
	printf '%s\n' "$state"
}

restart() {
	said=$(systemctl restart "$1" 2>&1 </dev/null)
	state=$(settle "$1")
	if [ "$state" = active ]; then
		say "restarted: $1"
		return 0
	fi
	state="$state ($(systemctl show -p SubState -p Result "$1" 2>/dev/null </dev/null | head -n 2 | tr '\n' ' '))"
	bad "$1 is $state after its restart: $(printf '%s\n' "$said" | head -n 1)"
}

# ssh UNIT: sessions go on, as only the listener is restarted (KillMode=process); one
# that does not like its configuration would never let us in again.
ssh() {
	if said=$(sshd -t 2>&1 </dev/null); then restart "$1"
	else bad "$1 was not restarted, as sshd -t says: $(printf '%s\n' "$said" | head -n 1)"
	fi
}

act() {
	list=$(judged) || { bad "what is to be restarted can't be seen"; return; }
	tab='	'
	case $list in *reexec"$tab"*)
		if systemctl daemon-reexec </dev/null; then say "restarted: systemd itself"
		else bad "systemd could not start itself anew"
		fi
		;;
	esac
	units=$(printf '%s\n' "$list" | grep -E "^restart$tab" | cut -f 2)
	for unit in $units; do
		case $unit in ssh.service | sshd.service) ;; *) restart "$unit" ;; esac
	done
	for unit in $units; do
		case $unit in ssh.service | sshd.service) ssh "$unit" ;; esac
	done
}

main() {
	never=$1
	act
	return "$failed"
}

main "$@"
