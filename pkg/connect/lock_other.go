//go:build !unix

package connect

import "os"

// lockFile relies on O_APPEND alone where there is no flock(2).
func lockFile(*os.File) error { return nil }
