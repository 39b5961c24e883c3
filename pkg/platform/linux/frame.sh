# Sections of a report. The first line of stdout names the nonce that all frame
# lines carry, so that nothing a command prints can pass for one. $nonce is set.
LC_ALL=C; export LC_ALL
unset LANGUAGE
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH
set -u -f

# mark writes a frame line to stdout and stderr: what a command prints to either
# then belongs to the same section.
mark() {
	printf '\n@%s %s\n' "$nonce" "$1"
	printf '\n@%s %s\n' "$nonce" "$1" >&2
}

# section NAME LINES COMMAND…: runs it without stdin. A section that is cut at LINES has no status.
section() {
	name=$1 lines=$2
	shift 2
	mark "begin $name"
	{
		"$@" </dev/null
		printf '\n@%s status %s\n' "$nonce" "$?"
	} | head -n "$((lines + 2))"
	mark "end $name"
}

has() { command -v "$1" >/dev/null 2>&1; }

# say NAME VALUE: one line, whatever VALUE holds.
say() {
	printf '%s=' "$1"
	printf '%s\n' "$2" | head -n 1
}

open_report() { printf '\npatchring-report 1 %s\n' "$nonce"; }
close_report() { printf '\n@%s whole\n' "$nonce"; }
