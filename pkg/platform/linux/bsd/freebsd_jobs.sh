# FreeBSD's detached jobs. See Manager, and jobs.sh for the variables.

note=/var/lib/patchring/freebsd-base

# Only what is named: dependencies are among the words.
freebsd_stage() {
	named=''
	for word in "$@"; do
		case $word in
		/*) ;;
		freebsd-base=*)
			[ "$back" = yes ] || [ "$(freebsd_waits)" = "${word#*=}" ] || freebsd_fetch </dev/null || return
			[ "$back" = yes ] || [ "$(freebsd-version -u)" = "${word#*=}" ] || [ "$(freebsd_waits)" = "${word#*=}" ] || {
				echo "Error: freebsd-update has $(freebsd_waits), and not ${word#*=}"
				return 1
			}
			;;
		*) named="$named $word" ;;
		esac
	done
	# shellcheck disable=SC2086 # one word each
	[ -z "$named" ] || pkg fetch -U -y $named </dev/null
}

# The outgoing versions: as they were downloaded, else made again of what is installed.
freebsd_keep() {
	folder=$1 code=0
	shift
	for word in "$@"; do
		case $word in freebsd-base=*) continue ;; esac
		[ -e "$folder/$word.pkg" ] && continue
		if path=$(freebsd_cached "$word"); then
			cp "$path" "$folder/copy" && mv -f "$folder/copy" "$folder/$word.pkg" || code=1
		else
			pkg create -o "$folder" "$word" </dev/null || code=1
		fi
	done
	return "$code"
}

freebsd_install() {
	named='' files='' wanted=''
	for word in "$@"; do
		case $word in
		freebsd-base=*) wanted=${word#*=} ;;
		/*) files="$files $word" ;;
		*) named="$named $word" ;;
		esac
	done
	freebsd_exactly "$named" || return
	[ -z "$wanted" ] || freebsd_take "$wanted" || return
	# shellcheck disable=SC2086 # one word each
	[ -z "$named" ] || pkg install -U -y $named </dev/null || return
	for path in $files; do freebsd_add "$path" || return; done
	[ "$back" != yes ] || [ -z "$remove" ] || freebsd_delete
}

# freebsd_delete takes away what is to go and is here, but nothing that needs it: pkg would
# take that along unasked.
# shellcheck disable=SC2086 # one word each
freebsd_delete() {
	goes=$(for name in $remove; do [ -z "$(pkg query '%v' "$name" 2>/dev/null </dev/null)" ] || printf ' %s' "$name"; done)
	[ -n "$goes" ] || return 0
	plan=$(freebsd_said pkg delete -n -y $goes 2>&1) || { text "$plan"; return 1; }
	# "name: version" below a heading, or "name-version".
	going=$(text "$plan" | sed -n 's/^[	 ][	 ]*\([^ ]*\).*/\1/p' | while read -r name; do
		case $name in *:) printf '%s\n' "${name%:}" ;; *) printf '%s\n' "${name%-*}" ;; esac
	done)
	more=$(for name in $going; do text "$goes" | tr ' ' '\n' | grep -q -F -x -e "$name" || printf ' %s' "$name"; done)
	less=$(for name in $goes; do text "$going" | grep -q -F -x -e "$name" || printf ' %s' "$name"; done)
	if [ -n "$more$less" ]; then
		echo "Error: pkg would not delete just what was planned (more:$more; not:$less); nothing was deleted:$goes"
		return 1
	fi
	pkg delete -y $goes </dev/null
}

# freebsd_exactly WORDS: refuses where pkg would now do more than these words say.
freebsd_exactly() {
	[ -n "$1" ] || return 0
	# shellcheck disable=SC2086
	plan=$(freebsd_said pkg install -n -U -y $1 2>&1) || { text "$plan"; return 1; }
	# The words in what pkg would do: "name: old -> new", "name: new", "name-version".
	more=$(text "$plan" | sed -n 's/^	\([^ :]*\):* *\(.*\)$/\1 \2/p' | while read -r name version rest; do
		case $rest in '-> '*) rest=${rest#-> } version=${rest%% *} ;; esac
		case " $1 " in *" $name-$version "*) ;; *) printf ' %s-%s' "$name" "$version" ;; esac
	done)
	[ -z "$more" ] && return 0
	echo "Error: pkg would now do more than was planned:$more; nothing was changed"
	return 1
}

# pkg add asks nobody what a package is wanted for: that stays as it was.
freebsd_add() {
	name=$(pkg query -F "$1" '%n' </dev/null) || return
	auto=$(pkg query '%a' "$name" </dev/null)
	pkg add -f "$1" </dev/null || return
	[ "$auto" != 1 ] || pkg set -y -A 1 "$name" </dev/null
}

# freebsd_take VERSION: of the base system, forwards or back.
freebsd_take() {
	from=$(freebsd-version -u)
	[ "$from" != "$1" ] || return 0
	if [ "$back" = yes ]; then
		[ "$(freebsd_former)" = "$1" ] || { echo "Error: a rollback would not bring $1"; return 1; }
		freebsd-update rollback --not-running-from-cron </dev/null || return
		rm -f "$note"
		return 0
	fi
	[ "$(freebsd_waits)" = "$1" ] || { echo "Error: what was fetched is not $1"; return 1; }
	freebsd-update install --not-running-from-cron </dev/null || return
	printf '%s %s\n' "$from" "$1" >"$note.new" && mv -f "$note.new" "$note"
}

# What is missing is for a person: pkg would take the newest of it.
freebsd_repair() {
	missing=$(pkg check -d -n -a -q </dev/null)
	[ -z "$missing" ] && return 0
	text "$missing"
	echo "Error: that is for a person: pkg check -d"
	return 1
}
