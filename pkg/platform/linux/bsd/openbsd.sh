# What OpenBSD's syspatch and pkg_add tell; changes nothing. See Manager.

openbsd_probe() {
	section installed 200 syspatch -l
	section patches 200 syspatch -c
	# It fetches a part of every package that may be newer.
	[ "$mode" = refresh ] && section updates 12000 pkg_add -u -n -v -x -I
	return 0
}

# openbsd_versions NAMES…: of "name-version" and perhaps flavors; a version begins with a digit.
openbsd_versions() {
	wanted=" $* "
	pkg_info -q -a | while read -r package; do
		name=${package%%-[0-9]*}
		case $wanted in *" $name "*) printf '%s\t%s\t%s\tinstalled\n' "$name" "$(uname -p)" "${package#"$name"-}" ;; esac
	done
}

# The mirrors have one version of each.
openbsd_available() { :; }
openbsd_locks() { :; }
openbsd_health() { :; }
openbsd_simulate() { return 1; }
openbsd_staged() { :; }
openbsd_files() { :; }
openbsd_signs() { :; }
