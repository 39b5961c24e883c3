# Makes a system in folder $1, beside which this machine's own stays as it is: it lies
# below, and what changes goes to memory. Its one repository holds made-up packages.
# Runs in a mount namespace of its own.
set -eu
root=$1/root repo=$1/root/srv/lab

mount_it() {
	mount -t tmpfs -o size=2g tmpfs "$1"
	mkdir "$1/up" "$1/work" "$1/root"
	mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$root"
	mount -t proc proc "$root/proc"
	mount --bind /dev "$root/dev"
	mount -t tmpfs tmpfs "$root/run"
}

# deb NAME VERSION ARCH CONTROL POSTINST: one package file.
deb() {
	made=$1/made
	rm -rf "$made"
	mkdir -p "$made/DEBIAN" "$made/usr/share/$2" "$made/etc"
	echo "$3" >"$made/usr/share/$2/version"
	printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Lab <lab@example.org>\nDescription: made up\n%b' "$2" "$3" "$4" "$5" >"$made/DEBIAN/control"
	if [ "$2" = pr-conf ]; then
		echo "version $3" >"$made/etc/pr-conf.conf"
		echo /etc/pr-conf.conf >"$made/DEBIAN/conffiles"
	fi
	if [ -n "$6" ]; then
		printf '#!/bin/sh\n%s\n' "$6" >"$made/DEBIAN/postinst"
		chmod 755 "$made/DEBIAN/postinst"
	fi
	dpkg-deb --root-owner-group -Znone -b "$made" "$repo" >/dev/null
}

packages() {
	for version in 1:1.0-1 1:1.1-1 1:1.2-1; do
		needs=
		[ "$version" = 1:1.0-1 ] || needs='Depends: pr-new\n'
		deb "$1" pr-plain "$version" all "$needs" ''
		deb "$1" pr-foreign "$version" i386 'Multi-Arch: same\n' ''
		deb "$1" pr-conf "$version" all '' ''
		deb "$1" pr-held "$version" all '' ''
	done
	deb "$1" pr-new 2.0 all '' ''
	deb "$1" pr-fail 1.0 all '' ''
	deb "$1" pr-fail 1.1 all '' 'echo boom; exit 1'
}

apt_here() {
	rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d" "$root/etc/apt/apt.conf.d" "$root/etc/apt/preferences.d" "$root/var/lib/apt/lists" "$root/var/cache/apt/archives"
	mkdir -p "$root/etc/apt/apt.conf.d" "$root/etc/apt/sources.list.d" "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial"
	echo 'deb [trusted=yes] copy:/srv/lab ./' >"$root/etc/apt/sources.list"
	chroot "$root" dpkg --add-architecture i386
	cat >"$root/usr/local/sbin/lab-index" <<'INDEX'
#!/bin/sh
cd /srv/lab && apt-ftparchive packages . >Packages && apt-ftparchive release . >/tmp/Release && mv /tmp/Release . && apt-get -qq update
INDEX
	chmod 755 "$root/usr/local/sbin/lab-index"
	chroot "$root" lab-index
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install pr-plain=1:1.0-1 pr-foreign:i386=1:1.0-1 pr-conf=1:1.0-1 pr-held=1:1.0-1 pr-fail=1.0 >/dev/null
	chroot "$root" apt-get clean
}

mount_it "$1"
mkdir -p "$repo"
packages "$1"
apt_here
