package version

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// vendorLists are strictly ascending, from the vendors' release notes.
func vendorLists() map[string][]string {
	return map[string][]string{
		"iosxe":    {"3.16.5S", "16.12.4", "16.12.5", "16.12.5a", "16.12.5b", "17.3.1", "17.3.1a", "17.3.2", "17.9.4a", "17.12.4"},
		"nxos":     {"7.0(3)I7(9)", "7.0(3)I7(10)", "9.2(4)", "9.3(5)", "9.3(6)", "9.3(10)", "10.2(3)", "10.2(3)F", "10.3(1)F"},
		"junos":    {"15.1X49-D170.4", "20.4R3.8", "22.4R1.10", "22.4R3", "22.4R3.25", "22.4R3-S1.4", "22.4R3-S2", "22.4R3-S2.11", "22.4R3-S10.1", "23.2R1.13"},
		"eos":      {"4.28.10.1M", "4.29.2F", "4.29.2.1F", "4.29.3M", "4.30.0F"},
		"f5":       {"15.1.10", "16.1.3", "16.1.3.2", "16.1.3.10", "17.1.0"},
		"ontap":    {"9.9.1P12", "9.13.1RC1", "9.13.1", "9.13.1P1", "9.13.1P4", "9.13.1P4D2", "9.13.1P10", "9.14.1"},
		"fortios":  {"6.4.15", "7.0.9", "7.4.7", "7.4.10", "7.6.0"},
		"panos":    {"10.1.0-b5", "10.1.0", "10.1.3", "10.1.3-h1", "10.1.3-h3", "10.1.3-h10", "10.1.4", "10.2.0"},
		"aoscx":    {"PL.10.10.1090", "PL.10.13.0005", "PL.10.13.1000", "PL.10.14.0001"},
		"routeros": {"6.49.10", "7.16beta4", "7.16rc2", "7.16 (stable)", "7.16.1 (stable)"}, //nolint:misspell // the product's name
		"generic":  {"1.0-rc1", "1.0", "1.0a", "1.0.1", "1.10"},
	}
}

func TestVendorsAscending(t *testing.T) {
	for name, list := range vendorLists() {
		compare, ok := Scheme(name)
		if !ok {
			t.Fatalf("no scheme %s", name)
		}
		for i, a := range list {
			for j, b := range list {
				if got := compare(a, b); got != sign(i-j) {
					t.Errorf("%s: compare(%q, %q) = %d, want %d", name, a, b, got, sign(i-j))
				}
			}
		}
	}
}

func TestVendorsEqual(t *testing.T) {
	for name, want := range map[string]string{"iosxe": "17.3.1a", "junos": "17.3.1a", "nobody": "17.03.01a"} {
		if got := Canonical(name, "17.03.01a"); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, pairs := range map[string][][2]string{
		"iosxe":   {{"17.03.01a", "17.3.1a"}, {"17.09.04", "17.9.4"}, {"16.12.05b", "16.12.5B"}, {"03.16.05.S", "3.16.5S"}},
		"nxos":    {{"9.3(6)", "9.3.6"}, {"10.3(4a)M", "10.3.4a.M"}},
		"fortios": {{"v7.4.7,build2731,250120 (GA.M)", "7.4.7"}},
		"aoscx":   {{"PL.10.13.0005", "10.13.5"}, {"ML.10.13.0005", "FL.10.13.0005"}},
		"panos":   {{"10.1.3-h3", "10.1.3-h03"}},
		"eos":     {{"4.29.2F", "4.29.2f"}},
	} {
		compare, _ := Scheme(name)
		for _, pair := range pairs {
			if got := compare(pair[0], pair[1]); got != 0 {
				t.Errorf("%s: compare(%q, %q) = %d", name, pair[0], pair[1], got)
			}
		}
	}
	if _, ok := Scheme("nobody"); ok {
		t.Error("a scheme that is not there")
	}
}

// TestVendorsTotal: whatever is compared, each ordering is total.
func TestVendorsTotal(t *testing.T) {
	piece := rapid.SampledFrom([]string{"1", "0", "03", "10", ".", "-", "(", ")", "R", "S", "P", "h", "rc", "beta", "v", "PL.", "F", "a", "b", ",build", " ", "é"})
	made := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		compare, _ := Scheme(rapid.SampledFrom(Schemes()).Draw(t, "scheme"))
		list := rapid.SliceOfN(made, 3, 3).Draw(t, "versions")
		total(t, compare, list[0], list[1], list[2])
	})
}

func total(t interface{ Errorf(string, ...any) }, compare func(a, b string) int, a, b, c string) {
	if compare(a, a) != 0 || compare(a, b) != -compare(b, a) {
		t.Errorf("%q and %q: %d, %d", a, b, compare(a, b), compare(b, a))
	}
	list := []string{a, b, c}
	slices.SortFunc(list, compare)
	if compare(list[0], list[1]) > 0 || compare(list[1], list[2]) > 0 || compare(list[0], list[2]) > 0 {
		t.Errorf("%q is not in order", list)
	}
	if compare(a, b) == 0 && compare(a, c) != compare(b, c) {
		t.Errorf("%q and %q are one, but %q says otherwise", a, b, c)
	}
}

func FuzzVendors(f *testing.F) {
	f.Add("17.03.01a", "22.4R3-S2.11", "v7.4.7,build1")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, name := range Schemes() {
			compare, _ := Scheme(name)
			total(t, compare, a, b, c)
			if (Canonical(name, a) == Canonical(name, b)) != (compare(a, b) == 0) {
				t.Errorf("%s: %q and %q: %q and %q", name, a, b, Canonical(name, a), Canonical(name, b))
			}
		}
	})
}
