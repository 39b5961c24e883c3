# Where jobs live, for start.sh and look.sh, which begin with this. A place is an
# absolute path, or "home": below the home folder of who logs in, which only the host
# knows. What lies there is believed, and run, so nobody else may be able to put it.
LC_ALL=C; export LC_ALL
set -u
me=$(id -u)

# place sets base and home, or why it can't.
place() {
	base=$1 why=''
	if [ "$base" = home ]; then
		base=$(cd "${HOME:-/nonexistent}" 2>/dev/null && pwd -P) || base=''
		case $base in
		/?*) others "$base" ;;
		*) why="there is no home folder: ${HOME:-HOME is not set}" ;;
		esac
		base=$base/.patchring/jobs
	fi
	home=${base%/*}
	[ -z "$why" ]
}

# others sets why if somebody else could put something into the folder $1.
others() {
	# shellcheck disable=SC2012 # the name is the last, and not looked at
	seen=$(stat -c '%A %u' "$1" 2>/dev/null) ||
		seen=$(ls -ldn "$1" 2>/dev/null | { read -r mode _ uid _; echo "${mode:-} ${uid:-}"; })
	case $seen in
	d????-??-*" $me") why='' ;;
	d????-??-*) why="$1 belongs to somebody else" ;;
	d*) why="others may write to $1; chmod go-w it, after a look at what is in it" ;;
	*) why="it can't be told whose $1 is" ;;
	esac
}
