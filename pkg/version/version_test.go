package version

import (
	"os/exec"
	"strings"
	"testing"
)

// ordered lists are strictly ascending.
var (
	dpkgAscending = []string{
		"~~", "~~a", "~", "0~rc1", "", "0.9", "1.0~beta1~svc1-1", "1.0~beta1-1", "1.0-1", "1.0-1+b1",
		"1.0-1+deb12u1", "1.0-1+deb12u2", "1.0-1+deb12u10", "1.0-2", "1.0a-1", "1.0+x-1", "1.0.1-1", "1.10-1", "1:0.1", "2:0",
	}
	rpmAscending = []string{
		"1.0~rc1-1", "1.0~rc2-1", "1.0-1", "1.0-1.el9", "1.0-1.el9_4", "1.0-1.el9_4.1", "1.0^git1-1", "1.0^git2-1",
		"1.0a-1", "1.0.1-1", "1.9-1", "1.10-1", "1:0.1-1", "2:0.1-1",
	}
	// odd pairs are handed to the real tools as well.
	dpkgOdd = []string{"1", "01", "1.", "1.0", "a", "1a", "a1", "1+", "1-", "1-0", "0:1", "00:1-1", "1.2.3-4-5", "1~", "1~~", "1~~a", "1.0~", "18446744073709551616", "18446744073709551617"}
	rpmOdd  = []string{"1", "01", "1.", "1.0", "1.0.", "a", "1a", "a1", "1~", "1^", "1^~", "1~^", "1_0", "1..0", "1.a", "^", "~", "1^a", "1.0.0", "xyz10", "xyz10.1", "10xyz", "18446744073709551616", "2a", "2.a"}
)

func ascending(t *testing.T, compare func(a, b string) int, list []string) {
	t.Helper()
	for i, a := range list {
		for j, b := range list {
			if got, want := compare(a, b), sign(i-j); got != want {
				t.Errorf("compare(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestDpkgAscending(t *testing.T) { ascending(t, Dpkg, dpkgAscending) }
func TestRPMAscending(t *testing.T)  { ascending(t, RPM, rpmAscending) }

func TestEqual(t *testing.T) {
	for _, pair := range [][2]string{{"1.0", "1.00"}, {"0:1", "1"}, {"1.0-0", "1.0"}, {"1.0-", "1.0"}} {
		if got := Dpkg(pair[0], pair[1]); got != 0 {
			t.Errorf("Dpkg(%q, %q) = %d, want 0", pair[0], pair[1], got)
		}
	}
	for _, pair := range [][2]string{{"1.0", "1_0"}, {"0:1-1", "1-1"}, {"1.0", "1.0-7"}, {"1.0-1.el9", "1.0-1_el9"}} {
		if got := RPM(pair[0], pair[1]); got != 0 {
			t.Errorf("RPM(%q, %q) = %d, want 0", pair[0], pair[1], got)
		}
	}
}

func TestDpkgLikeDpkg(t *testing.T) {
	dpkg := tool(t, "dpkg")
	all := append(append([]string{}, dpkgAscending...), dpkgOdd...)
	for _, a := range all {
		for _, b := range all {
			if a == "" || b == "" { // dpkg has an opinion of its own on no version at all
				continue
			}
			want, ok := dpkgSays(dpkg, a, b)
			if got := Dpkg(a, b); ok && got != want {
				t.Errorf("Dpkg(%q, %q) = %d, dpkg says %d", a, b, got, want)
			}
		}
	}
}

// dpkgSays asks the real dpkg; ok is false for versions that it refuses.
func dpkgSays(dpkg, a, b string) (order int, ok bool) {
	for op, order := range map[string]int{"lt": -1, "eq": 0, "gt": 1} {
		out, err := exec.Command(dpkg, "--compare-versions", a, op, b).CombinedOutput()
		if len(out) > 0 { // a warning: "version 'x' has bad syntax"
			return 0, false
		}
		if err == nil {
			return order, true
		}
	}
	return 0, false
}

func TestRPMLikeRPM(t *testing.T) {
	rpm := tool(t, "rpm")
	var all []string
	for _, v := range append(append([]string{}, rpmAscending...), rpmOdd...) {
		if !strings.ContainsAny(v, ":-") { // rpm.vercmp wants the bare version
			all = append(all, v)
		}
	}
	for _, v := range rpmAscending {
		version, release := cutRevision(v)
		if !strings.Contains(version, ":") {
			all = append(all, version, release)
		}
	}
	orders := map[string]int{"-1": -1, "0": 0, "1": 1}
	for _, a := range all {
		for i, said := range rpmSays(t, rpm, a, all) {
			if got := RPM(a, all[i]); got != orders[said] {
				t.Errorf("RPM(%q, %q) = %d, rpm says %s", a, all[i], got, said)
			}
		}
	}
}

// rpmSays asks rpm itself to compare a with each of all. One row at a time: rpm aborts
// on a macro that is too long.
func rpmSays(t *testing.T, rpm, a string, all []string) []string {
	t.Helper()
	var lua strings.Builder
	for _, b := range all {
		lua.WriteString(`print(rpm.vercmp("` + a + `","` + b + `"), " ")`)
	}
	out, err := exec.CommandContext(t.Context(), rpm, "--eval", "%{lua:"+lua.String()+"}").Output()
	answers := strings.Fields(string(out))
	if err != nil || len(answers) != len(all) {
		t.Fatalf("rpm compared %d of %d: %v", len(answers), len(all), err)
	}
	return answers
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("needs " + name + ": the oracle of this ordering")
	}
	return path
}

// isOrder checks what every ordering must be: antisymmetric, reflexive, transitive.
func isOrder(t *testing.T, compare func(a, b string) int, a, b, c string) {
	t.Helper()
	if compare(a, a) != 0 {
		t.Errorf("%q is not equal to itself", a)
	}
	if compare(a, b) != -compare(b, a) {
		t.Errorf("%q and %q: %d one way, %d the other", a, b, compare(a, b), compare(b, a))
	}
	if compare(a, b) <= 0 && compare(b, c) <= 0 && compare(a, c) > 0 {
		t.Errorf("%q <= %q <= %q, but the first is greater than the last", a, b, c)
	}
}

func FuzzDpkg(f *testing.F) {
	f.Add("1:1.0~rc1-1+deb12u1", "1.0-1", "1.0-2")
	f.Fuzz(func(t *testing.T, a, b, c string) { isOrder(t, Dpkg, a, b, c) })
}

func FuzzRPM(f *testing.F) {
	f.Add("1:1.0~rc1-1.el9", "1.0^git-1", "1.0-2")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		// A version without a release equals all its releases, as in rpm, so that
		// transitivity holds only among versions of one kind.
		if _, r := cutRevision(a); r == "" {
			a += "-1"
		}
		if _, r := cutRevision(b); r == "" {
			b += "-1"
		}
		if _, r := cutRevision(c); r == "" {
			c += "-1"
		}
		isOrder(t, RPM, a, b, c)
	})
}
