# What a user without root may not read, so that what was not seen is not taken for none.

# closed WHAT PATH: "WHAT PATH" of the folder above it that can't be entered, of itself, or
# of what lies in it, at any depth. What a link hides is closed as well, and so is what is
# too much to look at.
closed() {
	above=${2%/*}
	while [ -n "$above" ]; do
		if { [ -d "$above" ] && [ ! -x "$above" ]; } || { [ -h "$above" ] && [ ! -e "$above" ]; }; then
			printf '%s %s\n' "$1" "$above"
			return 0
		fi
		above=${above%/*}
	done
	[ -e "$2" ] || [ -h "$2" ] || return 0
	if [ ! -r "$2" ] || { [ -d "$2" ] && [ ! -x "$2" ]; }; then
		printf '%s %s\n' "$1" "$2"
	elif [ ! -d "$2" ]; then
		return 0
	elif command -v find >/dev/null 2>&1; then
		# A link to a folder is followed if it ends in a slash.
		if [ -h "$2" ]; then find "$2/" 2>/dev/null; else find "$2" 2>/dev/null; fi | inside "$1" "$2" deep
	else
		# shellcheck disable=SC2012 # set -f: there are no globs here
		ls -1 "$2" | while IFS= read -r entry; do printf '%s/%s\n' "$2" "$entry"; done | inside "$1" "$2" flat
	fi
	return 0
}

# inside WHAT FOLDER deep|flat: of the paths on standard input, those that can't be read, or
# into which nobody has looked. Nobody reads a lock, what is partial, and pacman's keys.
inside() {
	count=0
	while IFS= read -r entry; do
		case $entry in */lock | */partial | */partial/* | */gnupg | */gnupg/*) continue ;; esac
		count=$((count + 1))
		if [ "$count" -gt 50000 ]; then
			printf '%s %s\n' "$1" "$2"
			return 0
		fi
		if [ ! -r "$entry" ]; then
			printf '%s %s\n' "$1" "$entry"
		elif [ -d "$entry" ] && [ "${entry%/}" != "$2" ]; then
			if [ ! -x "$entry" ] || [ -h "$entry" ] || [ "$3" = flat ]; then printf '%s %s\n' "$1" "$entry"; fi
		fi
	done
	return 0
}

# hidden: who holds a lock, other users' processes tell; the rest is the manager's.
hidden() {
	if [ -d /proc ] && [ "$(uname -s)" = Linux ]; then
		[ -r /proc/locks ] && [ -d /proc/1 ] || echo 'lock /proc'
	fi
	for path in $marks; do [ -e "$path" ] || [ ! -d "${path%/*}" ] || [ -x "${path%/*}" ] || printf 'appliance %s\n' "$path"; done
	[ -z "$offers" ] || closed kept "$kept"
	reads "$manager" | while read -r what path; do closed "$what" "$path"; done
}
