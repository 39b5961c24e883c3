#!/bin/sh
# Makes the recorded repositories of this folder with the real tools (apt-ftparchive,
# createrepo_c, repo-add, gpg). Run it in an empty folder; it prints nothing secret and
# throws its keys away. Needs: gnupg apt-utils dpkg-dev rpm createrepo-c pacman-package-manager makepkg libarchive-tools.
set -eu
out=$PWD
work=$(mktemp -d)
GNUPGHOME=$work/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
at=20260601T120000

sign() { gpg --batch --quiet --faked-system-time "$at" --passphrase '' --pinentry-mode loopback --local-user archive@test.example "$@"; }
gpg --batch --quiet --faked-system-time "$at" --passphrase '' --pinentry-mode loopback \
	--quick-gen-key 'Test Archive <archive@test.example>' ed25519 sign 10y
gpg --batch --quiet --armor --export >"$out/key.asc"
gpg --batch --quiet --export >"$out/key.gpg"

# apt
mkdir -p "$work/apt/pool" "$out/apt/main/binary-amd64"
for v in 1.2-3 1:1.3~rc1-1+b2; do
	mkdir -p "$work/deb/DEBIAN"
	printf 'Package: hello-ring\nVersion: %s\nArchitecture: amd64\nMaintainer: T <t@test.example>\nDescription: a test\n of more than one line\n' "$v" >"$work/deb/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$work/deb" "$work/apt/pool/hello-ring_$(echo "$v" | tr : _).deb" >/dev/null
done
(cd "$work/apt" && apt-ftparchive packages pool) >"$out/apt/main/binary-amd64/Packages"
gzip -9nk "$out/apt/main/binary-amd64/Packages"
xz -k "$out/apt/main/binary-amd64/Packages"
(cd "$out/apt" && apt-ftparchive -o APT::FTPArchive::Release::Origin=Test -o APT::FTPArchive::Release::Label=Test \
	-o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=ring release .) >"$work/Release"
mv "$work/Release" "$out/apt/Release"
sign --digest-algo SHA512 --clearsign --output "$out/apt/InRelease" "$out/apt/Release"
sign --digest-algo SHA512 --armor --detach-sign --output "$out/apt/Release.gpg" "$out/apt/Release"
sign --digest-algo SHA1 --clearsign --output "$out/apt/InRelease.sha1" "$out/apt/Release"

# rpm-md
mkdir -p "$work/rpm" "$out/rpm"
for epoch in 0 2; do
	printf 'Name: hello-ring\nEpoch: %s\nVersion: 1.2\nRelease: 3\nSummary: a test\nLicense: MIT\nBuildArch: noarch\n%%description\na test\n%%files\n' "$epoch" >"$work/rpm/$epoch.spec"
	rpmbuild --quiet -bb --define "_topdir $work/build" --define "_rpmdir $work/rpm" --define "_rpmfilename $epoch/%{name}-%{version}-%{release}.%{arch}.rpm" "$work/rpm/$epoch.spec"
done
createrepo_c --quiet --no-database "$work/rpm"
cat >"$work/updateinfo.xml" <<'X'
<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="t@test.example" status="final" type="security" version="1"><id>TEST-2026:1</id><title>a fix</title><severity>Important</severity><issued date="2026-06-01 00:00:00"/>
<references><reference href="https://test.example/1" id="CVE-2026-0002" type="cve"/><reference href="https://test.example/2" id="CVE-2026-0001" type="cve"/></references>
<pkglist><collection><name>c</name><package name="hello-ring" version="1.2" release="3" epoch="2" arch="noarch" src="x"><filename>f.rpm</filename><reboot_suggested>True</reboot_suggested></package></collection></pkglist></update></updates>
X
modifyrepo_c --checksum sha256 "$work/updateinfo.xml" "$work/rpm/repodata" >/dev/null 2>&1
cp "$work/rpm/repodata/repomd.xml" "$out/rpm/"
cp "$work"/rpm/repodata/*-primary.xml.gz "$out/rpm/primary.xml.gz"
cp "$work"/rpm/repodata/*-updateinfo.xml.* "$out/rpm/updateinfo.xml.gz"
sign --armor --detach-sign "$out/rpm/repomd.xml"

# pacman
mkdir -p "$work/pac/root" "$out/pacman"
cd "$work/pac/root"
printf 'pkgname = hello-ring\npkgbase = hello-ring\npkgver = 1:1.2-3\npkgdesc = a test\nbuilddate = 1780000000\npackager = T <t@test.example>\nsize = 1\narch = any\n' >.PKGINFO
tar -cJf "$work/pac/hello-ring-1:1.2-3-any.pkg.tar.xz" .PKGINFO
cd "$work/pac"
repo-add -q demo.db.tar.gz hello-ring-1:1.2-3-any.pkg.tar.xz >/dev/null
cp demo.db.tar.gz "$out/pacman/demo.db"
sign --detach-sign "$out/pacman/demo.db"
rm -rf "$work"
