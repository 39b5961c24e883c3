#!/bin/sh
# Makes a folder with real zypper and rpm, made-up packages and their patches, for the
# tests named TestReal and for recording. Needs root, mmdebstrap and Debian 12's archive.
#
#   sh record.sh FOLDER
#
# then set PATCHRING_ZYPPER_ROOT to the folder.
set -eu
mkdir -p "$1"
root=$1
mmdebstrap --variant=minbase --include=zypper,rpm,createrepo-c,procps bookworm "$root"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
: >"$root/var/lib/dpkg/status" # zypper rules here, not apt
cat >"$root/make.sh" <<'END'
set -eu
mkdir -p /etc/rpm; echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
mkdir -p /build /repo/x86_64 /repo/noarch /vendor/x86_64
spec() { # name version release arch vendor extra-file
cat > /build/$1-$2.spec <<S
Name: $1
Version: $2
Release: $3
Summary: test package $1
License: MIT
Vendor: $5
$(cat /build/extra)
%description
x
%prep
%build
%install
mkdir -p %{buildroot}/opt/$1
echo $2-$3 > %{buildroot}/opt/$1/version
head -c 20000 /dev/urandom | od > %{buildroot}/opt/$1/data
%files
/opt/$1
$(cat /build/scripts)
S
t=''; [ "$4" = noarch ] && t='--target noarch'
rpmbuild -bb --quiet --define "_rpmdir $6" --define "_topdir /build/top" --define "_binary_payload w1.gzdio" $t --define "__os_install_post %{nil}" --define "debug_package %{nil}" --nodeps /build/$1-$2.spec 2>&1 | grep -v Alien || true
}
S="SUSE LLC <https://www.suse.com/>"
: > /build/scripts
echo "Provides: /bin/sh
AutoReqProv: no" > /build/extra; spec lab-base 1 1 noarch "$S" /repo
echo "AutoReqProv: no" > /build/extra
for p in pr-plain pr-other pr-reboot pr-restart pr-locked; do for v in 1.0 1.1; do spec $p $v 150600.1.1 x86_64 "$S" /repo; done; done
spec pr-plain 1.2 150600.1.1 x86_64 "$S" /repo
spec pr-cfg 1.0 150600.1.1 noarch "$S" /repo
spec pr-cfg 1.1 150600.1.1 noarch "$S" /repo
# epoch
echo "AutoReqProv: no
Epoch: 1" > /build/extra
spec pr-epoch 1.0 1 x86_64 "$S" /repo; spec pr-epoch 1.1 1 x86_64 "$S" /repo
# needs new dep
echo "AutoReqProv: no" > /build/extra; spec pr-needs 1.0 1 x86_64 "$S" /repo; spec pr-lib 1.0 1 x86_64 "$S" /repo
echo "AutoReqProv: no
Requires: pr-lib >= 1.0" > /build/extra;  spec pr-needs 1.1 1 x86_64 "$S" /repo
# recommends
echo "AutoReqProv: no" > /build/extra; spec pr-rec 1.0 1 x86_64 "$S" /repo; spec pr-recommended 1.0 1 x86_64 "$S" /repo
echo "AutoReqProv: no
Recommends: pr-recommended" > /build/extra; spec pr-rec 1.1 1 x86_64 "$S" /repo
# obsoletes
echo "AutoReqProv: no" > /build/extra; spec pr-oldname 1.0 1 x86_64 "$S" /repo
echo "AutoReqProv: no
Provides: pr-oldname = 2.0
Obsoletes: pr-oldname < 2.0" > /build/extra; spec pr-newname 2.0 1 x86_64 "$S" /repo
# conflict
echo "AutoReqProv: no
Conflicts: pr-other >= 1.1" > /build/extra; spec pr-conf 1.1 1 x86_64 "$S" /repo
echo "AutoReqProv: no" > /build/extra; spec pr-conf 1.0 1 x86_64 "$S" /repo
# kernel multiversion
echo "AutoReqProv: no
Provides: multiversion(kernel)" > /build/extra; spec kernel-default 6.4.0 150600.21.1 x86_64 "$S" /repo;  spec kernel-default 6.4.1 150600.23.7.1 x86_64 "$S" /repo
# failing post
echo "AutoReqProv: no" > /build/extra
spec pr-fail 1.0 1 x86_64 "$S" /repo
printf '%%post -p /bin/sh\necho going wrong\nexit 3\n' > /build/scripts; spec pr-fail 1.1 1 x86_64 "$S" /repo
printf '%%pre -p /bin/sh\necho going wrong\nexit 3\n' > /build/scripts; spec pr-failpre 1.1 1 x86_64 "$S" /repo
: > /build/scripts;  spec pr-failpre 1.0 1 x86_64 "$S" /repo
# other vendor
V="Packman"
spec pr-other 1.9 1 x86_64 "$V" /vendor
spec pr-vendored 1.0 1 x86_64 "$V" /vendor
spec pr-vendored 1.1 1 x86_64 "$S" /repo
# zypper itself
spec zypper 1.14.60 1 x86_64 "$S" /repo; spec zypper 1.14.61 1 x86_64 "$S" /repo
pkg() { echo "<package name='$1' epoch='${5:-0}' version='$2' release='$3' arch='$4' src='$1-$2-$3.src.rpm'><filename>$1-$2-$3.$4.rpm</filename>${6:-}</package>"; }
upd() { # id type severity refs pkgs title
echo "<update from='maint-coord@suse.de' status='stable' type='$2' version='1'><id>$1</id><title>$6</title><severity>$3</severity><release>SUSE Updates</release><issued date='1760000000'/><references>$4</references><description>This update fixes &lt;things&gt;.</description><pkglist><collection short=''><name>SUSE Updates</name>$5</collection></pkglist></update>"; }
cve() { echo "<reference href='https://www.suse.com/security/cve/$1/' id='$1' title='$1' type='cve'/>"; }
bug() { echo "<reference href='https://bugzilla.suse.com/show_bug.cgi?id=$1' id='$1' title='bug $1' type='bugzilla'/>"; }
{ echo '<?xml version="1.0" encoding="UTF-8"?><updates>'
upd SUSE-SLE-15-SP6-2026-1001 security important "$(cve CVE-2026-1001)$(cve CVE-2026-1002)$(bug 1200001)" "$(pkg pr-plain 1.1 150600.1.1 x86_64)" "Security update for pr-plain"
upd SUSE-SLE-15-SP6-2026-1002 recommended moderate "$(bug 1200002)" "$(pkg pr-other 1.1 150600.1.1 x86_64)" "Recommended update for pr-other"
upd SUSE-SLE-15-SP6-2026-1003 security critical "$(cve CVE-2026-1003)" "$(pkg kernel-default 6.4.1 150600.23.7.1 x86_64 0 '<reboot_suggested>1</reboot_suggested>')" "Security update for the Linux Kernel"
upd SUSE-SLE-15-SP6-2026-1004 security low "$(cve CVE-2026-1004)" "$(pkg pr-reboot 1.1 150600.1.1 x86_64 0 '<reboot_suggested>True</reboot_suggested>')" "Security update for pr-reboot"
upd SUSE-SLE-15-SP6-2026-1005 recommended important "" "$(pkg zypper 1.14.61 1 x86_64 0 '<restart_suggested>1</restart_suggested>')" "Recommended update for zypper"
upd SUSE-SLE-15-SP6-2026-1006 security moderate "$(cve CVE-2026-1006)" "$(pkg pr-epoch 1.1 1 x86_64 1)$(pkg pr-cfg 1.1 150600.1.1 noarch)" "Security update for pr-epoch"
upd SUSE-SLE-15-SP6-2026-1007 optional low "" "$(pkg pr-needs 1.1 1 x86_64)" "Optional update for pr-needs"
upd SUSE-SLE-15-SP6-2026-1008 security important "$(cve CVE-2026-1008)" "$(pkg pr-plain 1.2 150600.1.1 x86_64)" "Security update for pr-plain, again"
upd SUSE-SLE-15-SP6-2026-1009 feature low "" "$(pkg pr-absent 1.1 1 x86_64)" "Feature update for what is absent"
upd SUSE-SLE-15-SP6-2026-1010 security important "$(cve CVE-2026-1010)" "$(pkg pr-locked 1.1 150600.1.1 x86_64)" "Security update for pr-locked"
upd SUSE-SLE-15-SP6-2026-1011 security important "$(cve CVE-2026-1011)" "$(pkg pr-vendored 1.1 1 x86_64)" "Security update for pr-vendored"
echo "</updates>"; } > /tmp/updateinfo.xml
for r in /repo /vendor; do createrepo_c -q $r; done
modifyrepo_c --mdtype=updateinfo /tmp/updateinfo.xml /repo/repodata >/dev/null
mkdir -p /etc/zypp/repos.d
printf '[SLE-Updates]\nname=SLE Updates\nenabled=1\nautorefresh=1\nbaseurl=file:///repo\ntype=rpm-md\ngpgcheck=0\n' > /etc/zypp/repos.d/sle.repo
printf '[packman]\nname=Packman\nenabled=1\nautorefresh=0\nbaseurl=file:///vendor\ntype=rpm-md\ngpgcheck=0\n' > /etc/zypp/repos.d/packman.repo
cat > /etc/os-release <<S
NAME="SLES"
VERSION="15-SP6"
VERSION_ID="15.6"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"
ID="sles"
ID_LIKE="suse"
S

mkdir -p /etc/zypp
printf '[main]\nmultiversion = provides:multiversion(kernel)\n' >/etc/zypp/zypp.conf
zypper -n -q refresh
zypper -n -q --no-refresh install -- lab-base
zypper -n -q --no-refresh install -- pr-plain=1.0 pr-other=1.0-150600.1.1 pr-reboot=1.0 pr-restart=1.0 pr-locked=1.0 \
	pr-cfg=1.0 pr-epoch=1:1.0-1 pr-needs=1.0 pr-rec=1.0 pr-oldname pr-conf=1.0 kernel-default=6.4.0 pr-fail=1.0 \
	pr-failpre=1.0 pr-vendored=1.0 zypper=1.14.60
zypper -n addlock pr-locked
END
chroot "$root" sh /make.sh
