package app

import (
	"testing"

	"github.com/patchring/patchring/pkg/rollout"
)

func TestOnlyAChangedOrHealthyHostIsRemembered(t *testing.T) {
	for name, c := range map[string]struct {
		host rollout.HostStatus
		want bool
	}{
		"healthy":                    {rollout.HostStatus{State: rollout.HostHealthy}, true},
		"failed after its patch":     {rollout.HostStatus{State: rollout.HostFailed, Touched: true}, true},
		"unknown after its patch":    {rollout.HostStatus{State: rollout.HostUnknown, Touched: true}, true},
		"failed before its patch":    {rollout.HostStatus{State: rollout.HostFailed, Before: "sha256:x"}, false},
		"never begun":                {rollout.HostStatus{State: rollout.HostWaiting}, false},
		"unreachable":                {rollout.HostStatus{State: rollout.HostUnreachable}, false},
		"nothing to do":              {rollout.HostStatus{State: rollout.HostNothing}, false},
		"aborted while it was at it": {rollout.HostStatus{State: rollout.HostWorking, Touched: true}, true},
	} {
		if got := workedOn(c.host); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
