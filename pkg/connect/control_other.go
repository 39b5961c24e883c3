//go:build !unix

package connect

import "errors"

// ownSocket: OpenSSH has no master connections on this system.
func ownSocket(string) error { return errors.New("this system has no master connections") }
