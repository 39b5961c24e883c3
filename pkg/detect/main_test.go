package detect_test

import (
	"context"
	"testing"

	"github.com/patchring/patchring/pkg/lab/farm"
)

func TestMain(m *testing.M) {
	if !farm.Main(context.Background()) { // a benchmark's farm is this binary again
		m.Run()
	}
}
