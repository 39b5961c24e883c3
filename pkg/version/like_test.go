package version

import (
	"math/rand/v2"
	"os/exec"
	"testing"
)

func TestDpkgLikeDpkg(t *testing.T)     { likeTool(t, dpkgScheme()) }
func TestRPMLikeRPM(t *testing.T)       { likeTool(t, rpmScheme()) }
func TestRPMLikeZypper(t *testing.T)    { likeTool(t, zypperScheme()) }
func TestApkLikeApk(t *testing.T)       { likeTool(t, apkScheme()) }
func TestPacmanLikeVercmp(t *testing.T) { likeTool(t, pacmanScheme()) }
func TestFreeBSDLikePkg(t *testing.T)   { likeTool(t, freebsdScheme()) }
func TestOpenBSDLikePkgAdd(t *testing.T) {
	likeTool(t, openbsdScheme())
}

func FuzzDpkg(f *testing.F)    { fuzz(f, dpkgScheme()) }
func FuzzRPM(f *testing.F)     { fuzz(f, rpmScheme()) }
func FuzzZypper(f *testing.F)  { fuzz(f, zypperScheme()) }
func FuzzApk(f *testing.F)     { fuzz(f, apkScheme()) }
func FuzzPacman(f *testing.F)  { fuzz(f, pacmanScheme()) }
func FuzzFreeBSD(f *testing.F) { fuzz(f, freebsdScheme()) }
func FuzzOpenBSD(f *testing.F) { fuzz(f, openbsdScheme()) }

// likeTool asks the tool of generated pairs, every fourth of the odd versions.
func likeTool(t *testing.T, s scheme) {
	t.Helper()
	s.tool.need(t)
	if testing.Short() {
		s.pairs /= 10
	}
	asked, odd := 0, oddVersions()
	random := rand.New(rand.NewPCG(4, 2)) // the same pairs on every run
	for i := range s.pairs {
		a, b := pair(random)
		a, b = s.spell(a), s.spell(b)
		if i%4 == 0 {
			a, b = s.ask(odd[random.IntN(len(odd))]), s.ask(odd[random.IntN(len(odd))])
		}
		asked += agree(t, s, a, b)
	}
	t.Logf("%s compared %d pairs of %d", s.tool.tool(), asked, s.pairs)
	if asked < s.pairs/50 {
		t.Errorf("%s refused nearly all that it was asked: the pieces make no versions", s.tool.tool())
	}
}

// agree is how many answers it got: none where the tool refuses.
func agree(t *testing.T, s scheme, a, b string) int {
	t.Helper()
	want, ok := s.tool.ask(a, b)
	if !ok {
		return 0
	}
	if got := s.compare(a, b); got != want {
		t.Errorf("compare(%q, %q) = %d, %s says %d", a, b, got, s.tool.tool(), want)
	}
	return 1
}

// pair makes two seeds that mostly share a beginning: versions that differ at once
// say little of an ordering.
func pair(random *rand.Rand) (a, b string) {
	seed := make([]byte, 1+random.IntN(8))
	for i := range seed {
		seed[i] = byte(random.IntN(256))
	}
	other := append([]byte{}, seed[:random.IntN(len(seed)+1)]...)
	for range random.IntN(4) {
		other = append(other, byte(random.IntN(256)))
	}
	return string(seed), string(other)
}

// fuzz holds the ordering to being one, for any text, and to its tool where that is
// there, for versions spelled from the same text.
func fuzz(f *testing.F, s scheme) {
	f.Helper()
	f.Add("1:1.0~rc1-1+deb12u1", "1.0-1", "1.0-2")
	f.Add("1.0_rc1-r0", "1.0_p1~ff-r1", "1.0a")
	f.Add("1.0.rc1_1,2", "1.0pl1+2.*", "1.0rc1p0v1")
	for _, v := range oddVersions() {
		f.Add(v, v+".1", v+"a")
	}
	missing := s.tool.start(f)
	if missing != nil {
		f.Logf("properties alone: %v", missing)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		isAntisymmetric(t, s.compare, a, b)
		if missing == nil {
			agree(t, s, s.spell(a), s.spell(b))
		}
		if s.total != nil {
			a, b, c = s.total(a), s.total(b), s.total(c)
		}
		isOrder(t, s.compare, a, b, c)
	})
}

func isAntisymmetric(t *testing.T, compare func(a, b string) int, a, b string) {
	t.Helper()
	if compare(a, a) != 0 {
		t.Errorf("%q is not equal to itself", a)
	}
	if compare(a, b) != -compare(b, a) {
		t.Errorf("%q and %q: %d one way, %d the other", a, b, compare(a, b), compare(b, a))
	}
}

// isOrder checks three versions, in all the orders they can be taken in.
func isOrder(t *testing.T, compare func(a, b string) int, a, b, c string) {
	t.Helper()
	for _, v := range [][3]string{{a, b, c}, {a, c, b}, {b, a, c}, {b, c, a}, {c, a, b}, {c, b, a}} {
		isAntisymmetric(t, compare, v[0], v[1])
		first, second, both := compare(v[0], v[1]), compare(v[1], v[2]), compare(v[0], v[2])
		if first <= 0 && second <= 0 && both != min(first, second) {
			t.Errorf("%q to %q is %d, %q to %q is %d, but %q to %q is %d", v[0], v[1], first, v[1], v[2], second, v[0], v[2], both)
		}
	}
}

// TestZypperWithoutRelease holds the one difference: zypper puts a version without a
// release before all its releases, and only with -m does it equal them, as in RPM.
func TestZypperWithoutRelease(t *testing.T) {
	s := zypperScheme()
	s.tool.need(t)
	if order, ok := s.tool.ask("1.0", "1.0-1"); !ok || order != -1 {
		t.Errorf("zypper orders 1.0 and 1.0-1 as %d, answered %v; -1 was known", order, ok)
	}
	s.tool.question = func(a, b string) string { return "versioncmp -m " + a + " " + b }
	if order, ok := s.tool.ask("1.0", "1.0-1"); !ok || order != RPM("1.0", "1.0-1") {
		t.Errorf("zypper -m orders 1.0 and 1.0-1 as %d, answered %v", order, ok)
	}
}

func TestScripts(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("needs shellcheck")
	}
	out, err := exec.CommandContext(t.Context(), shellcheck, "--shell=sh", "testdata/ask.sh", "testdata/dpkg.sh").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
