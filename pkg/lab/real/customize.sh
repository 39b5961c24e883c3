# Runs once, in the new base system. Every host starts from a copy of the result.
useradd --create-home --shell /bin/bash patch
usermod --password '*' patch
install -d -m 0700 -o patch -g patch /home/patch/.ssh
rm -f /etc/ssh/ssh_host_*
printf 'PasswordAuthentication no\nPermitRootLogin no\n' >/etc/ssh/sshd_config.d/lab.conf
# Nothing may start by itself: a test must know what touches a host, and when.
ln -sf /dev/null /etc/systemd/system/apt-daily.timer
ln -sf /dev/null /etc/systemd/system/apt-daily-upgrade.timer
ln -sf /dev/null /etc/systemd/system/e2scrub_reap.service
ln -sf /dev/null /etc/systemd/system/systemd-networkd-wait-online.service
# HAProxy runs only where a host was given something to balance.
rm -f /etc/haproxy/haproxy.cfg
mkdir -p /etc/systemd/system/haproxy.service.d
printf '[Unit]\nConditionPathExists=/etc/haproxy/haproxy.cfg\n' >/etc/systemd/system/haproxy.service.d/lab.conf
mkdir -p /etc/apt/keyrings /var/log/journal
rm -rf /var/lib/apt/lists/* /etc/apt/sources.list /etc/apt/sources.list.d/*
: >/etc/machine-id
