//go:build !unix

package vault

import "os"

// owned can't be told here.
func owned(os.FileInfo) bool { return false }
