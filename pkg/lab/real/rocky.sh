# Makes Debian with dnf look like Rocky Linux 9.4.
cat >/usr/lib/os-release <<'END'
NAME="Rocky Linux"
VERSION="9.4 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
ANSI_COLOR="0;32"
CPE_NAME="cpe:/o:rocky:rocky:9::baseos"
END
echo 'Rocky Linux release 9.4 (Blue Onyx)' | tee /etc/redhat-release >/etc/rocky-release
mkdir -p /etc/rpm /etc/pki/rpm-gpg /etc/yum.repos.d /etc/dnf/plugins/needs-restarting.d
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
# It builds a repository of all that is downloaded, and traces back where it can't.
sed -i 's/^enabled = true/enabled = false/' /etc/dnf/plugins/local.conf
cat >/etc/dnf/dnf.conf <<'END'
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
END
# What Debian does not package, and Rocky has.
ln -sf dnf-3 /usr/bin/yum
printf '#!/bin/sh\nexec dnf needs-restarting "$@"\n' >/usr/bin/needs-restarting
chmod 755 /usr/bin/needs-restarting
# Counts as a reason to reboot, as the kernel does on a host that has one.
echo pr-reboot >/etc/dnf/plugins/needs-restarting.d/lab.conf
base_rpm rocky-release 9.4
