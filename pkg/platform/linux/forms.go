package linux

import "regexp"

// What a host says of its packages must have these forms before it goes anywhere:
// into facts, into argv, to the screen. They are a little wider than the policies
// of Debian and RPM, and never begin with a hyphen.
var (
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9+._-]{0,199}$`)
	versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+:~^_-]{0,199}$`)
	archForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)
)
