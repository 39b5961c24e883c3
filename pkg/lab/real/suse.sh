# Makes Debian with zypper look like SUSE Linux Enterprise Server 15 SP6.
cat >/usr/lib/os-release <<'END'
NAME="SLES"
VERSION="15-SP6"
VERSION_ID="15.6"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"
ID="sles"
ID_LIKE="suse"
ANSI_COLOR="0;32"
CPE_NAME="cpe:/o:suse:sles:15:sp6"
END
mkdir -p /etc/rpm /etc/pki/rpm-gpg /etc/zypp/repos.d
# Debian's rpm and Debian's libzypp disagree on where the database is.
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
base_rpm sles-release 15.6
