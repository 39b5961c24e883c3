//go:build linux

package real_test

import ("testing"; "github.com/patchring/patchring/pkg/lab/real")

func TestScratch(t *testing.T) {
	lab := real.New(t)
	a := lab.Host("edge-1", real.Router(65001, "10.99.0.200"))
	lab.Ready()
	for _, c := range [][]string{
		{"sh","-c","sed -i s/bgpd=yes/bgpd=no/ /etc/frr/daemons; systemctl restart frr; sleep 2; vtysh -c 'show bgp vrf all summary json'; echo rc $?"},
		{"sh","-c","sed -i s/bgpd=no/bgpd=yes/ /etc/frr/daemons; systemctl restart frr; sleep 2; vtysh -c 'show bgp vrf all summary json'; echo rc $?"},
		{"sh","-c","rm -rf /tmp/x; dpkg-deb -I /var/cache/apt/lab/frr_*.deb;dpkg-deb -R /var/cache/apt/lab/frr_*.deb /tmp/x; cat /tmp/x/DEBIAN/postinst /tmp/x/DEBIAN/prerm /tmp/x/DEBIAN/conffiles; du -s /tmp/x"},
		{"sh","-c","systemctl stop frr; ls -la /run/frr; ls /sys/class/net; cat /proc/sys/net/ipv4/conf/all/arp_ignore; bash -c 'vtysh -c \"show bgp vrf all summary json\"'; echo rc $?"},
	} {
		out, code := a.Run(c...)
		t.Logf("%q %d\n%s", c, code, out)
	}
}
