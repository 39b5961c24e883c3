package version

// Same tells whether what a device prints is the version that is meant: a spelling of it
// (17.12.04 is 17.12.4), or, where the maker adds a build number to releases (Junos,
// IOS-XE), a build of it (22.4R3.25 is 22.4R3). 17.12.4a is another, and so is 22.4R3-S2
// where 22.4R3 is meant. An unknown scheme knows equal texts only.
func Same(scheme, have, want string) bool {
	v, known := vendors()[scheme]
	if have == want || !known || want == "" {
		return have == want && want != ""
	}
	if v.compare(have, want) == 0 {
		return true
	}
	h, w := v.parts(have), v.parts(want)
	if !builds(scheme) || len(h) <= len(w) {
		return false
	}
	for i := range w {
		if v.order(h[i], w[i]) != 0 {
			return false
		}
	}
	return isDigit(h[len(w)][0])
}

// builds tells of schemes whose releases carry a number of the build behind them. A BIG-IP
// 16.1.4.1 is another release than 16.1.4.
func builds(scheme string) bool { return scheme == "junos" || scheme == "iosxe" || scheme == "iosxr" }
