package connect

import (
	"context"
	"testing"

	"github.com/patchring/patchring/pkg/lab/farm"
)

func TestMain(m *testing.M) {
	if !farm.Main(context.Background()) {
		m.Run()
	}
}
