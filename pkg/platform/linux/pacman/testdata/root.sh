# Makes a repository, and a root with what it had first. $1 the folder. Needs pacman, tar and gzip.
set -eu
top=$1
repo=$top/repo root=$top/root

# package NAME VERSION [LINE OF .PKGINFO…]: a package's file. $scriptlet is its .INSTALL, $conf a line of its configuration.
package() {
	name=$1 version=$2 d=$top/build
	shift 2
	rm -rf "$d"
	mkdir -p "$d/usr/share/$name"
	echo "$version" >"$d/usr/share/$name/version"
	printf '%s\n' "pkgname = $name" "pkgbase = $name" "pkgver = $version" "pkgdesc = made for a test" "url = none" \
		"builddate = 1700000000" "packager = test" "size = 1000" "arch = any" "$@" >"$d/.PKGINFO"
	files='.PKGINFO usr'
	if [ -n "${scriptlet:-}" ]; then printf '%s\n' "$scriptlet" >"$d/.INSTALL"; files=".PKGINFO .INSTALL usr"; fi
	if [ -n "${conf:-}" ]; then
		mkdir "$d/etc"
		echo "$conf" >"$d/etc/$name.conf"
		echo "backup = etc/$name.conf" >>"$d/.PKGINFO"
		files="$files etc"
	fi
	# shellcheck disable=SC2086 # words
	(cd "$d" && tar -czf "$repo/$name-$version-any.pkg.tar.zst" $files)
}

# lists NAME-VERSION…: the repository's database, by hand.
lists() {
	w=$top/lists
	rm -rf "$w"
	for of in "$@"; do
		p=$repo/$of-any.pkg.tar.zst
		mkdir -p "$w/$of"
		info=$(tar -xzOf "$p" .PKGINFO)
		field() { printf '%s\n' "$info" | sed -n "s/^$1 = //p"; }
		{
			printf '%%FILENAME%%\n%s\n\n%%NAME%%\n%s\n\n%%VERSION%%\n%s\n\n%%CSIZE%%\n%s\n\n%%ISIZE%%\n1000\n\n%%SHA256SUM%%\n%s\n\n%%ARCH%%\nany\n\n' \
				"${p##*/}" "$(field pkgname)" "$(field pkgver)" "$(wc -c <"$p")" "$(sha256sum "$p" | cut -d ' ' -f 1)"
			for key in DEPENDS:depend GROUPS:group CONFLICTS:conflict; do
				[ -z "$(field "${key#*:}")" ] || printf '%%%s%%\n%s\n\n' "${key%:*}" "$(field "${key#*:}")"
			done
		} >"$w/$of/desc"
	done
	(cd "$w" && tar -czf "$repo/lab.db" -- *)
}

mkdir -p "$repo" "$root/etc" "$root/var/log" "$root/var/lib/pacman" "$root/var/cache/pacman/pkg" "$root/var/cache" "$top/bin"
cat >"$root/etc/pacman.conf" <<CONF
[options]
RootDir = $root
DBPath = $root/var/lib/pacman
CacheDir = $root/var/cache/pacman/pkg
LogFile = $root/var/log/pacman.log
HookDir = $root/etc/hooks
GPGDir = $root/etc/gpg
Architecture = auto
IgnorePkg = pr-held
IgnoreGroup = heldgroup
SigLevel = Never
[lab]
Server = file://$repo
CONF
for tool in pacman pacman-conf; do
	printf '#!/bin/sh\nexec %s --config %s "$@"\n' "$(command -v $tool)" "$root/etc/pacman.conf" >"$top/bin/$tool"
	chmod 755 "$top/bin/$tool"
done
PATH=$top/bin:$PATH

for name in pr-plain pr-held pr-bad pr-needs pr-lib; do package $name 1.0-1; done
package pr-epoch 1:1.0-1
package pr-user 1.0-1 'depend = pr-lib=1.0'
package pr-grouped 1.0-1 'group = heldgroup'
conf=one package pr-conf 1.0-1
cp "$repo"/*.zst "$root/var/cache/pacman/pkg/"
lists pr-plain-1.0-1
pacman -Sy --noconfirm
pacman -U --noconfirm "$repo"/*.zst
echo changed >"$root/etc/pr-conf.conf"

for name in pr-plain pr-held; do package $name 1.1-1; done
package pr-epoch 1:1.1-1
package pr-lib 2.0-1
package pr-grouped 1.1-1 'group = heldgroup'
package pr-new 1.0-1
package pr-needs 1.1-1 'depend = pr-new'
package pr-clash 1.0-1 'conflict = pr-plain'
conf=two package pr-conf 1.1-1
scriptlet='post_upgrade() { false; }' package pr-bad 1.1-1
lists pr-plain-1.1-1 pr-held-1.1-1 pr-epoch-1:1.1-1 pr-lib-2.0-1 pr-user-1.0-1 pr-grouped-1.1-1 pr-new-1.0-1 pr-needs-1.1-1 pr-clash-1.0-1 pr-conf-1.1-1 pr-bad-1.1-1
