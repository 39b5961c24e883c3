# Runs once in each system that is not Debian, before the system's own script: only
# one package manager may be found there, and no trace of the other.
systemctl --quiet disable dpkg-db-backup.timer apt-daily.timer apt-daily-upgrade.timer
rm -f /usr/bin/apt* /usr/bin/dpkg* /usr/sbin/dpkg* /usr/bin/debconf* /usr/sbin/needrestart
rm -rf /etc/apt /etc/dpkg /etc/needrestart /etc/debian_version /etc/cron.daily/apt* /etc/cron.daily/dpkg \
	/usr/lib/apt /usr/lib/dpkg /usr/lib/systemd/system/apt* /usr/lib/systemd/system/dpkg* \
	/etc/systemd/system/apt* /var/cache/apt /var/cache/debconf /var/lib/apt /var/lib/dpkg /var/log/apt /var/log/dpkg.log
rm -rf /usr/share/doc /usr/share/man
# The binary of services that were installed for their tools alone.
systemctl --quiet --global mask gpg-agent.socket gpg-agent-browser.socket gpg-agent-extra.socket gpg-agent-ssh.socket dirmngr.socket
# An rpm with a script depends on /bin/sh, and no rpm here has it.
base_rpm() {
	cat >/var/tmp/base.spec <<-END
		Name: $1
		Version: $2
		Release: 1
		Summary: what the lab's packages and tools depend on
		License: none
		Vendor: Patchring lab
		BuildArch: noarch
		Provides: /bin/sh
		Provides: system-release = $2
		Provides: system-release(releasever) = ${2%%.*}
		%description
		What the lab's packages and tools depend on.
		%files
	END
	rpmbuild --quiet -bb --define '_rpmdir /var/tmp' --define '_build_name_fmt base.rpm' /var/tmp/base.spec
	rpm --install --force-debian /var/tmp/base.rpm
	rm -rf /var/tmp/base.spec /var/tmp/base.rpm /root/rpmbuild /root/.rpmdb
}
