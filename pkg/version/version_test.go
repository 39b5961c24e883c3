package version

import (
	"slices"
	"testing"
)

type compareFunc = func(a, b string) int

// ascending lists are strictly so. Those of apk, FreeBSD and OpenBSD are made from
// the tools' documentation.
func ascending() map[string]struct {
	compare compareFunc
	list    []string
} {
	type row = struct {
		compare compareFunc
		list    []string
	}
	return map[string]row{
		"dpkg": {Dpkg, []string{
			"~~", "~~a", "~", "0~rc1", "", "0.9", "1.0~beta1~svc1-1", "1.0~beta1-1", "1.0-1", "1.0-1+b1",
			"1.0-1+deb12u1", "1.0-1+deb12u2", "1.0-1+deb12u10", "1.0-2", "1.0a-1", "1.0+x-1", "1.0.1-1", "1.10-1", "1:0.1", "2:0",
		}},
		"rpm": {RPM, []string{
			"1.0~rc1-1", "1.0~rc2-1", "1.0-1", "1.0-1.el9", "1.0-1.el9_4", "1.0-1.el9_4.1", "1.0^git1-1", "1.0^git2-1",
			"1.0a-1", "1.0.1-1", "1.9-1", "1.10-1", "1:0.1-1", "2:0.1-1",
		}},
		"apk": {Apk, []string{
			"", "0.9_p3", "1.0_alpha", "1.0_alpha2", "1.0_alpha10", "1.0_beta1", "1.0_pre1", "1.0_rc1-r0", "1.0_rc1-r1", "1.0_rc2",
			"1.0", "1.0-r0", "1.0-r2", "1.0-r10", "1.0~0a1b-r0", "1.0_cvs", "1.0_svn", "1.0_git20240101", "1.0_git20240101-r1",
			"1.0_hg", "1.0_p_rc1", "1.0_p", "1.0_p1", "1.0_p10", "1.0a", "1.0b-r1", "1.0.1", "1.01", "1.05", "1.1", "1.9", "1.10", "2", "10", "20240101",
		}},
		"pacman": {Pacman, []string{
			"1.0a", "1.0b", "1.0beta", "1.0p", "1.0pre", "1.0rc", "1.0", "1.0.a", "1.0.1", "1.0..1", "1.1-0.1", "1.1-1", "1.1-1.1", "1.1-10", "1.9-1", "1.10-1", "1:0.1-1", "2:0-1",
		}},
		"freebsd": {FreeBSD, []string{
			"*", "pl1", "alpha3", "0.1beta2", "0.1", "1.*", "1.pl1", "1alpha", "1alpha1", "1.beta1", "1pre2", "1rc1", "1.r2", "1", "1_1", "1_2", "1_10", "1.0.1",
			"1.1", "1.9", "1.10", "1a", "1a1", "1b", "1z9", "1z10", "2.0_3", "1,1", "1_1,1", "1.0.1,1", "0.1,2",
		}},
		"openbsd": {OpenBSD, []string{
			"0.9", "1", "1.0alpha1", "1.0alpha2", "1.0beta1", "1.0rc1", "1.0rc2", "1.0rc2p0", "1.0", "1.0p0", "1.0p1", "1.0p10", "1.0pl1", "1.0pl2",
			"1.0.1", "1.0a", "1.0b", "1.9", "1.10", "1.10p2", "2", "0.1v0", "0.1p0v0", "3v0", "0v1",
		}},
	}
}

func TestAscending(t *testing.T) {
	for name, of := range ascending() {
		t.Run(name, func(t *testing.T) {
			for i, a := range of.list {
				for j, b := range of.list {
					if got, want := of.compare(a, b), sign(i-j); got != want {
						t.Errorf("compare(%q, %q) = %d, want %d", a, b, got, want)
					}
				}
			}
		})
	}
}

func TestEqual(t *testing.T) {
	for name, of := range map[string]struct {
		compare compareFunc
		pairs   [][2]string
	}{
		"dpkg":    {Dpkg, [][2]string{{"1.0", "1.00"}, {"0:1", "1"}, {"1.0-0", "1.0"}, {"1.0-", "1.0"}}},
		"rpm":     {RPM, [][2]string{{"1.0", "1_0"}, {"0:1-1", "1-1"}, {"1.0", "1.0-7"}, {"1.0-1.el9", "1.0-1_el9"}}},
		"apk":     {Apk, [][2]string{{"1.0-r0", "1.0-r00"}, {"01.0", "1.0"}, {"1.0.foo", "1.0.bar"}, {"", "x"}, {"1_foo", "1-1"}}},
		"pacman":  {Pacman, [][2]string{{"1.0", "1.0-7"}, {"0:1-1", "1-1"}, {":1", "1"}, {"1.0", "1~0"}, {"1.", "1..."}}},
		"freebsd": {FreeBSD, [][2]string{{"1", "1.0.0"}, {"1_0", "1"}, {"1,0", "1"}, {"1rc1", "1.r1"}, {"1.dev2", "1.D2"}, {"1:2", "1..2"}, {"foo-1.2", "1.2"}}},
		"openbsd": {OpenBSD, [][2]string{{"1.0pre1", "1.0rc2"}, {"1.0p1", "1.00p2"}, {"1.0", "1.0."}, {"1.0-no_x11", "1.0"}, {"1rc", "1rc0"}}},
	} {
		for _, pair := range of.pairs {
			if got := of.compare(pair[0], pair[1]); got != 0 {
				t.Errorf("%s: compare(%q, %q) = %d, want 0", name, pair[0], pair[1], got)
			}
		}
	}
}

// oddVersions are of every scheme: what a tool makes of another's versions shows what
// it does beyond its own. Without spaces, as lines are split at them.
func oddVersions() []string {
	odd := []string{
		"1", "01", "1.", "1.0", "1.0.", "a", "1a", "a1", "1+", "1-", "1-0", "0:1", "00:1-1", "1.2.3-4-5", "1~", "1~~", "1~~a", "1.0~", "1^", "1^~", "1~^",
		"1_0", "1..0", "1.a", "1^a", "xyz10", "10xyz", "18446744073709551616", "18446744073709551617", "2a", "2.a", "1..", "1.0-r1", "1.0_p1", "1,2", "1_3,4", "1,4_3",
	}
	for _, of := range ascending() {
		odd = append(odd, of.list...)
	}
	slices.Sort(odd)
	odd = slices.Compact(odd)
	return slices.DeleteFunc(odd, func(v string) bool { return v == "" })
}
