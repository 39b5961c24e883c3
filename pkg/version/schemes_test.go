package version

import (
	"regexp"
	"strings"
)

// scheme is one ordering, the tool it must agree with, and versions to try on both.
type scheme struct {
	compare func(a, b string) int
	tool    oracle
	// pieces are what generated versions are made of.
	pieces []string
	// total makes any text into one of the versions that are totally ordered; nil
	// where all are. asked does so for those that may be asked of the tool.
	total, asked func(v string) string
	// pairs is how many generated pairs the tool is asked; slow tools less.
	pairs int
}

// spell makes a version of any bytes. It begins with a digit, as versions do.
func (s scheme) spell(seed string) string {
	var v strings.Builder
	v.WriteString("1")
	for _, c := range []byte(seed) {
		v.WriteString(s.pieces[int(c)%len(s.pieces)])
	}
	return s.ask(v.String())
}

func (s scheme) ask(v string) string {
	if s.asked == nil {
		return v
	}
	return s.asked(v)
}

// shortNumbers: apk's numbers begin anew at 2^64 and those of Perl get inexact, ours
// do neither.
func shortNumbers(v string) string {
	return longNumber.ReplaceAllString(v, "$1")
}

var longNumber = regexp.MustCompile(`([0-9]{15})[0-9]+`)

func dpkgScheme() scheme {
	return scheme{
		compare: Dpkg, pairs: 2500,
		tool:   oracle{command: []string{"sh", "testdata/dpkg.sh"}},
		pieces: []string{".", "0", "1", "9", "10", "00", "~", "~~", "+", "-", "-1", "a", "Z", "rc", "+b1", "+deb12u", "~bpo"},
		asked:  colonAfterNumber,
	}
}

// colonAfterNumber puts an epoch before versions with a "Z", as a colon anywhere else
// is no version.
func colonAfterNumber(v string) string {
	if strings.Contains(v, "Z") {
		return "1:" + v
	}
	return v
}

var rpmPieces = []string{".", "0", "1", "9", "10", "00", "~", "^", "_", "+", "..", "a", "Z", "rc", "el9", "git", "~rc", "^git"}

func rpmScheme() scheme {
	return scheme{
		compare: RPM, pairs: 20000,
		tool: oracle{command: []string{"rpm", "--eval", "%{lua: for l in io.lines() do " +
			`local a, b = l:match("^(.-)\t(.*)$") io.write(rpm.vercmp(a, b), "\n") io.flush() end}`}},
		pieces: rpmPieces, total: withRelease, asked: withRelease,
	}
}

// withRelease: a version without a release equals all its releases, so that order is
// total only among versions of one kind. Tools disagree there too.
func withRelease(v string) string {
	v = colonAfterNumber(v)
	if _, _, found := cutLast(v, '-'); !found {
		middle := len(v) / 2
		return v[:middle] + "1-1" + v[middle:]
	}
	return v + "1"
}

// zypperScheme: zypper orders as rpm does.
func zypperScheme() scheme {
	s := rpmScheme()
	s.pairs = 4000
	s.tool = oracle{
		command:  []string{"zypper", "--terse", "shell"},
		question: func(a, b string) string { return "versioncmp " + a + " " + b },
	}
	return s
}

func apkScheme() scheme {
	return scheme{
		compare: Apk, pairs: 5000, asked: shortNumbers,
		tool: oracle{command: []string{"sh", "testdata/ask.sh", "apk", "version", "-t"}},
		pieces: []string{
			".0", ".1", ".9", ".10", ".00", ".01", "0", "1", "a", "b", "z", "_alpha", "_beta", "_pre", "_rc", "_cvs", "_svn", "_git", "_hg", "_p",
			"_rc1", "_p2", "_git20", "~", "~0a", "~ff", "-r", "-r0", "-r1", "-r10", "_",
		},
	}
}

func pacmanScheme() scheme {
	return scheme{
		compare: Pacman, pairs: 5000,
		tool:   oracle{command: []string{"sh", "testdata/ask.sh", "vercmp"}},
		pieces: []string{".", "0", "1", "9", "10", "00", "~", "^", "_", "+", "..", "a", "Z", "rc", "beta", "-", "-1", ":", "r100"},
		total:  pacmanOrdered,
	}
}

func freebsdScheme() scheme {
	return scheme{
		compare: FreeBSD, pairs: 5000,
		tool: oracle{command: []string{"sh", "testdata/ask.sh", "pkg", "version", "-t"}},
		pieces: []string{
			".", "0", "1", "9", "10", "00", "a", "B", "Z", "rc", "RC", "alpha", "beta", "pre", "pl", "dev", "plx", "+", "*", "_", ",",
			"_1", ",1", ":", "..", "_2,1", "99999999999999999999",
		},
	}
}

func openbsdScheme() scheme {
	return scheme{
		compare: OpenBSD, pairs: 20000, asked: shortNumbers,
		tool: oracle{command: []string{"perl", "-MOpenBSD::PackageName", "-ne", `BEGIN { $| = 1 } chomp; my ($a, $b) = map { OpenBSD::PackageName->from_string("x-$_") } split /\t/; ` +
			`print eval { $a->compare($b) } // "refused", "\n"`}},
		pieces: []string{".", ".", "0", "1", "9", "10", "00", "a", "b", "Z", "rc", "alpha", "beta", "pre", "pl", "p1", "p0", "p", "v0", "v1", "v", ".01", "rc1", "_", "+"},
		total:  openbsdOrdered,
	}
}

// openbsdOrdered makes a version that people make: numbers without leading zeros,
// then one stage at most, and not both pre and rc, which are not ordered.
func openbsdOrdered(text string) string {
	parts := []string{".0", ".1", ".9", ".10", "1", "2a", "2b"}
	ends := []string{"", "a", "b", "rc1", "rc2", "rc", "alpha1", "beta2", "pl", "pl2"}
	levels := []string{"", "p0", "p1", "p10", "v0", "p1v0", "v1"}
	last, level := byte(0), byte(0)
	if text != "" {
		last, level = text[0], text[len(text)-1]
	}
	var v strings.Builder
	v.WriteString("1")
	for _, c := range []byte(text) {
		v.WriteString(strings.TrimRight(parts[int(c)%len(parts)], "ab"))
	}
	return v.String() + ends[int(last)%len(ends)] + levels[int(level)%len(levels)]
}

// pacmanOrdered makes a version that a package may have: the tool counts how long a
// separator is, and of odd ones that gives no order.
func pacmanOrdered(text string) string {
	plain := strings.Map(func(r rune) rune {
		if r < 0x80 && (isDigit(byte(r)) || isAlpha(byte(r))) {
			return r
		}
		return '.'
	}, text)
	parts := strings.FieldsFunc(plain, func(r rune) bool { return r == '.' })
	return withRelease("1." + strings.Join(parts, "."))
}
