package report

// Outranks tells whether exit code a stands before b in the table of exit codes.
func Outranks(a, b int) bool { return rank(a) < rank(b) }
