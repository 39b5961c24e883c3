# Installs exact versions with apt-get, as a detached job. $1 says how many of the
# following words are names of packages that are new here; then come those names,
# then all packages with their versions.
set -u -f
count=$1
shift
new=
while [ "$count" -gt 0 ]; do
	new="$new $1"
	shift
	count=$((count - 1))
done
names=
for spec in "$@"; do names="$names ${spec%%=*}"; done

# apt-get takes every package that it is told to install for one that a person
# wanted, and would never clean it up again: what was "automatic" stays so.
# shellcheck disable=SC2086 # one word each
auto=$(apt-mark showauto $names 2>/dev/null)

code=0
apt-get -q -y --no-remove -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
	-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 install "$@" || code=$?

# shellcheck disable=SC2086
[ -z "$auto$new" ] || apt-mark auto $auto $new >/dev/null 2>&1 || echo "patchring: could not mark as automatically installed:" $auto $new
exit "$code"
