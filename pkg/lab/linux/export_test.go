package linux

// Compare is for the tests of this package.
func Compare(a, b string) int { return compare(a, b) }
