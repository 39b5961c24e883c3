# pacman's detached jobs. See Manager, and jobs.sh for the variables.

# pacman_acts WORDS…: passes on what pacman says while it works. It ends with 0 though a
# package's script or a hook has failed, as one that makes the initial RAM disk: that counts
# here, as 81. 200 is a lock that another program holds: then nothing was done.
pacman_acts() {
	{
		pacman --noconfirm --noprogressbar "$@" 2>&1 </dev/null
		printf '@%s\n' "$?"
	} | pacman_watch
}
pacman_watch() {
	held='' last='' broken=''
	while IFS= read -r line; do
		[ -z "$held" ] || printf '%s\n' "$last"
		held=yes last=$line
		case $line in
		*"error: command failed to execute correctly"*) broken=81 ;;
		"error: failed to init transaction (unable to lock database)"*) broken=200 ;;
		esac
	done
	code=${last#@}
	case $code in '' | *[!0-9]*) code=1 ;; esac
	case $broken/$code in
	81/0 | 200/[1-9]*) code=$broken ;;
	esac
	return "$code"
}

# pacman_patient WORDS…: waits for others as long as with apt. A lock that nobody holds is
# not waited for.
pacman_patient() {
	tries=0
	while :; do
		code=0
		pacman_acts "$@" || code=$?
		if [ "$code" -ne 200 ] || [ "$tries" -ge 60 ] || [ -n "$(pacman_stale)" ]; then return "$code"; fi
		tries=$((tries + 1))
		sleep 10
	done
}

# Only what is named: dependencies are among the words. pacman verifies signatures here.
# shellcheck disable=SC2086 # one word each
pacman_stage() {
	specs=$(pacman_specs "$@")
	pacman_unlock
	[ -z "$specs" ] || pacman_patient -Sw -dd --dbpath "$(pacman_lists)" --cachedir "$cache" -- $specs || return
	pacman_paths "$@" >/dev/null
}

# pacman_paths WORDS…: the file of each.
pacman_paths() {
	for word in "$@"; do
		case $word in
		/*) printf '%s\n' "$word" ;;
		*)
			pacman_in "$cache" "$word" || {
				echo "error: the file of $word was not downloaded" >&2
				return 1
			}
			;;
		esac
	done
}

# The repositories have the newest version alone, so what goes is had from the cache, or not at all.
pacman_keep() {
	folder=$1 code=0
	shift
	for word in "$@"; do
		pacman_in "$folder" "$word" >/dev/null && continue
		if path=$(pacman_in "$cache" "$word"); then
			cp "$path" "$folder/copy" && mv -f "$folder/copy" "$folder/${path##*/}" || code=1
			[ ! -f "$path.sig" ] || cp "$path.sig" "$folder/" || code=1
		else
			code=1
		fi
	done
	return "$code"
}

# What comes goes in one transaction. What is to go follows in a second one: should that
# fail, the host is whole, and has a package too many.
# shellcheck disable=SC2086
pacman_install() {
	paths=$(pacman_paths "$@") || return
	if [ -n "$paths" ]; then
		pacman_exactly $paths || return
		pacman_patient -U --needed -- $paths || return
		pacman_marks
	fi
	goes=$(pacman_goes)
	[ -z "$goes" ] || pacman_patient -R -- $goes || return
	pacman_left
}

# pacman_exactly PATHS…: refuses where pacman would do more than these files say, or take
# something newer back.
pacman_exactly() {
	plan=$(pacman -U --noconfirm --needed --print-format 'change %n %v' -- "$@" </dev/null 2>&1) || {
		printf '%s\n' "$plan"
		return 1
	}
	named=$(for path in "$@"; do pacman_pkg "$path"; done | while read -r name _ version _; do printf '%s %s\n' "$name" "$version"; done)
	more=$(text "$plan" | sed -n 's/^change //p' | while read -r name version; do
		text "$named" | grep -q -F -x -e "$name $version" || printf ' %s-%s' "$name" "$version"
	done)
	if [ -n "$more" ]; then
		echo "error: pacman would now do more than was planned:$more; nothing was changed"
		return 1
	fi
	[ "$back" = yes ] || pacman_forward
}

# pacman_forward: 79 where something newer than planned is installed.
pacman_forward() {
	newer=$(text "$named" | while read -r name version; do
		is=$(pacman -Q -- "$name" 2>/dev/null) || continue
		[ "$(vercmp "${is#* }" "$version")" -le 0 ] || printf ' %s-%s' "$name" "${is#* }"
	done)
	[ -z "$newer" ] && return 0
	echo "error: something newer is installed meanwhile:$newer"
	return 79
}

# pacman takes every file that it is given for something that a person wanted.
# shellcheck disable=SC2086
pacman_marks() {
	[ -n "$new" ] || return 0
	fresh=$(pacman -Qq -- $new 2>/dev/null)
	[ -z "$fresh" ] || pacman -D --asdeps -- $fresh >/dev/null 2>&1 || say "could not mark as installed for others:" $fresh
}

# Arch builds its packages for the newest of all others.
pacman_left() {
	left=$(pacman_asks -Qu 2>/dev/null </dev/null | grep -c -v ' \[ignored\]$')
	[ "$back" = yes ] || [ "$left" -eq 0 ] || say "Arch Linux supports only whole upgrades: other updates were left, $left of them; the ones installed may need them"
	return 0
}

# Nothing here can be put right without a person: a lock may be somebody's, and what a cut
# transaction has left half done, only another installation can finish.
pacman_repair() {
	pacman -Dk
	[ -z "$(pacman_stale)" ] || echo "error: $own/db.lck is there, and no program holds it; if no package manager runs, type: sudo rm $own/db.lck"
	return 0
}
