# Looks who holds this host for patching; changes nothing. $1 nonce, $2 the folder
# that holds the lock.

state() {
	if [ -h "$folder" ] || [ -h "$folder/lock" ]; then echo symlink
	elif [ ! -e "$folder" ]; then echo free
	elif [ ! -r "$folder" ] || [ ! -x "$folder" ]; then echo unreadable
	elif [ ! -e "$folder/lock" ]; then echo free
	elif [ -r "$folder/lock/owner.json" ]; then echo held
	else echo nameless
	fi
}

main() {
	nonce=$1 folder=$2
	open_report
	found=$(state)
	# Whoever takes it may be between its two steps.
	if [ "$found" = nameless ]; then
		sleep 2
		found=$(state)
	fi
	section state 5 printf '%s\n' "$found"
	[ "$found" = held ] && section owner 20 cat "$folder/lock/owner.json"
	close_report
}

main "$@"
