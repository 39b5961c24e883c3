# apk's detached jobs. See Manager, and jobs.sh for the variables.

# apk_acts WORDS…: passes on what apk says while it works. Its exit status is the number of
# its errors, of which the shell sees the last eight bits: what it says of them counts, as 81.
apk_acts() {
	{
		apk_quiet --wait 600 "$@" 2>&1 </dev/null
		printf '@%s\n' "$?"
	} | apk_watch
}
apk_watch() {
	held='' last='' broken=''
	while IFS= read -r line; do
		[ -z "$held" ] || printf '%s\n' "$last"
		held=yes last=$line
		case $line in [1-9]*" error; "* | [1-9]*" errors; "*) broken=81 ;; esac
	done
	code=${last#@}
	case $code in '' | *[!0-9]*) code=1 ;; esac
	[ "$code" -ne 0 ] || code=${broken:-0}
	return "$code"
}

# Only what is named: dependencies are among the words. apk fetches the newest version, by
# the name alone; whether that is the one, its file's name tells.
apk_stage() {
	names=''
	[ -d "$staging" ] || private "$staging" || return
	for word in "$@"; do
		case $word in /*) continue ;; esac
		apk_in "$staging" "$word" >/dev/null || names="$names ${word%%=*}"
	done
	# shellcheck disable=SC2086 # one word each
	[ -z "$names" ] || apk_acts fetch --output "$staging" $names || return
	apk_paths "$@" >/dev/null
}

# apk_paths WORDS…: the file of each.
apk_paths() {
	for word in "$@"; do
		case $word in
		/*) printf '%s\n' "$word" ;;
		*)
			apk_in "$staging" "$word" || {
				echo "ERROR: the file of $word was not downloaded: the repositories have another version" >&2
				return 1
			}
			;;
		esac
	done
}

# The repositories have the newest version alone, so what goes is had from an earlier
# download, or not at all.
apk_keep() {
	folder=$1 code=0
	shift
	for word in "$@"; do
		apk_in "$folder" "$word" >/dev/null && continue
		if path=$(apk_in "$staging" "$word") || path=$(apk_cached "$word"); then
			cp "$path" "$folder/copy" && mv -f "$folder/copy" "$folder/${word%%=*}-${word#*=}.apk" || code=1
		else
			code=1
		fi
	done
	return "$code"
}

# apk_cached WORD: in the admin's cache a part of its checksum stands in the name of a file.
apk_cached() {
	[ -d /etc/apk/cache ] || return 1
	# shellcheck disable=SC2010,SC2012
	file=$(ls -1 /etc/apk/cache | grep -F -e "${1%%=*}-${1#*=}." | grep -E '\.[0-9a-f]{8}\.apk$' | while read -r file; do
		[ "${file%.*.apk}" = "${1%%=*}-${1#*=}" ] && printf '%s\n' "$file"
	done | head -n 1)
	[ -n "$file" ] && printf '%s\n' "/etc/apk/cache/$file"
}

# One transaction. apk writes everything that it is told into its world, as something that
# a person wants in just this version for ever: the world is put back as it was.
# shellcheck disable=SC2046,SC2086 # one word each
apk_install() {
	paths=$(apk_paths "$@") || return
	apk_exactly $paths || return
	before=$(apk_beside)
	cp -p "$world" "$saved.new" && mv -f "$saved.new" "$saved" || return
	code=0
	apk_acts add $paths $(apk_goes) || code=$?
	apk_restore || code=1
	apk_told
	[ "$code" -ne 0 ] || apk_tidy
	return "$code"
}

# apk_restore puts the world back, as a whole.
apk_restore() {
	[ -e "$saved" ] || return 0
	if cp -p "$saved" "$world.patchring" && mv -f "$world.patchring" "$world"; then
		rm -f "$saved"
		return 0
	fi
	echo "ERROR: $world could not be put back; it was as $saved is"
	return 1
}

# apk_changes TEXT: "verb name … version" of what apk would do.
apk_changes() { text "$1" | sed -n 's|^([0-9/]*) \([A-Z][a-z]*\) \([^ ]*\) (\(.*\))$|\1 \2 \3|p'; }

# apk_exactly PATHS…: refuses where apk would do more than these files say, or take
# something newer back.
apk_exactly() {
	plan=$(apk_would "$@" 2>&1 </dev/null) || {
		code=$?
		printf '%s\n' "$plan"
		return "$code"
	}
	named=$(for path in "$@"; do apk_pkg "$path"; done | while read -r name _ version _; do printf '%s %s\n' "$name" "$version"; done)
	more=$(apk_changes "$plan" | while read -r verb name rest; do
		case $verb in
		Installing | Upgrading | Downgrading | Replacing) text "$named" | grep -q -F -x -e "$name ${rest##* }" || printf ' %s-%s' "$name" "${rest##* }" ;;
		Purging) case "$back $remove " in yes*" $name "*) ;; *) printf ' %s-' "$name" ;; esac ;;
		*) printf ' %s (%s)' "$name" "$verb" ;;
		esac
	done)
	[ "$(apk_changes "$plan" | grep -c .)" -eq "$(text "$plan" | grep -c '^(')" ] || more="$more something that was not understood"
	if [ -n "$more" ]; then
		echo "ERROR: apk would now do more than was planned:$more; nothing was changed"
		return 1
	fi
	[ "$back" = yes ] && return 0
	newer=$(apk_changes "$plan" | grep '^Downgrading ')
	[ -z "$newer" ] && return 0
	printf 'ERROR: something newer is installed meanwhile: %s\n' "$newer"
	return 79
}

# Files of configuration that lie beside those in use: busybox can't tell since when.
apk_beside() { find /etc -xdev -name '*.apk-new' 2>/dev/null | sort | head -n 100; }
apk_told() {
	apk_beside | while read -r file; do
		case "
$before
" in *"
$file
"*) ;; *) say "$file was left beside the file in use: compare the two" ;; esac
	done
}

# What was staged and is installed stays for the next way back; the rest goes.
apk_tidy() {
	# shellcheck disable=SC2010,SC2012
	ls -1 "$staging" 2>/dev/null | grep '\.apk$' | while read -r file; do
		name=${file%-*-*}
		version=$(apk_versions "$name" | cut -f 3)
		[ "$file" = "$name-$version.apk" ] || rm -f "$staging/$file"
	done
	return 0
}

# Installs again what is half done, and changes no version: what would need more than that
# is for a person.
apk_repair() {
	apk_restore || return
	plan=$(apk_quiet fix --simulate 2>&1 </dev/null)
	more=$(text "$plan" | grep '^(' | grep -v '^([0-9/]*) Reinstalling ')
	if [ -n "$more" ]; then
		printf '%s\n' "$more"
		echo "ERROR: apk can put this right only by installing or removing packages; that is for a person: apk fix"
		return 1
	fi
	apk_acts fix
}
