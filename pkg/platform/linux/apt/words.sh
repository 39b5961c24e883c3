# What looking and acting have to agree in. See Manager; $back and $remove are set.

# The options that decide what apt would do. Phased updates: all hosts decide alike, and
# the ring's gate is the phase. What the host's own configuration may say of holds,
# signatures and what nobody needs any more does not count here.
apt_agreed() {
	printf '%s\n' -o APT::Get::Always-Include-Phased-Updates=true -o APT::Get::AutomaticRemove=false \
		-o APT::Get::AllowUnauthenticated=false -o APT::Get::allow-change-held-packages=false \
		-o Dir::Cache::archives=/var/cache/apt/archives/
}

# Only on the way back may apt take a version back or a package away, and then those alone.
apt_way() {
	apt_agreed
	if [ "$back" = yes ]; then printf '%s\n' --allow-downgrades --no-install-recommends; else echo --no-remove; fi
}

# The packages to go, as far as they are here: "name-".
apt_goes() {
	[ "$back" = yes ] && [ -n "$remove" ] || return 0
	# shellcheck disable=SC2086 # one word each
	for name in $(apt_present $remove); do printf '%s-\n' "$name"; done
}

# Those of these packages that are here, whole or not: a failed script leaves them half
# configured.
apt_present() {
	# shellcheck disable=SC2016 # fields of dpkg
	dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' -- "$@" 2>/dev/null |
		grep -v -e ' not-installed$' -e ' config-files$' | cut -d ' ' -f 1
}

# -y: what would need another "yes" (a hold, a downgrade) is then refused, as in the real run.
apt_simulate() {
	# shellcheck disable=SC2046 # words by way of the shell
	apt-get -s -y -V $(apt_way) -o Debug::NoLocking=1 -o APT::Get::Show-User-Simulation-Note=false \
		install "$@" $(apt_goes)
}

# apt_in FOLDER WORD: the package file in the folder, by the name that apt gives it.
apt_in() {
	name=${2%%=*}
	version=$(printf '%s\n' "${2#*=}" | sed 's/:/%3a/g')
	case $name in
	*:*) arches=${name#*:} ;;
	*) arches="$(dpkg --print-architecture) all" ;;
	esac
	for arch in $arches; do
		path=$1/${name%%:*}_${version}_$arch.deb
		[ -f "$path" ] && { printf '%s\n' "$path"; return 0; }
	done
	return 1
}

# apt_deb PATH: "name arch version path" of a package file.
apt_deb() {
	# shellcheck disable=SC2016 # fields of dpkg
	dpkg-deb -W --showformat='${Package}\t${Architecture}\t${Version}\t' "$1" </dev/null && printf '%s\n' "$1"
}
