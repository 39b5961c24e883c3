package remote

import "strings"

// Line is how a value travels to a script on stdin: "KIND VALUE" and a newline, with
// backslashes and newlines of the value escaped as printf %b reads them back. The
// script reads it with
//
//	while IFS= read -r line; do
//		kind=${line%% *} value=${line#* }
//		case $value in *\\*) value=$(printf '%b.' "$value") && value=${value%.} ;; esac
//
// so the value never is a part of the script. A NUL byte can't travel so: it is left
// out here, and callers refuse it before.
func Line(kind, value string) string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\x00", "")
	return kind + " " + escape.Replace(value) + "\n"
}
