package connect

import (
	"os"
	"testing"

	"github.com/patchring/patchring/pkg/lab/farm"
)

func TestMain(m *testing.M) {
	farm.Main()
	os.Exit(m.Run())
}
