package sign_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the programs that tests run instead of ssh-keygen.
func TestMain(m *testing.M) {
	if play, ok := plays()[os.Getenv("LANG")]; ok { // one of the few variables that is handed on
		play()
		return
	}
	goleak.VerifyTestMain(m)
}
