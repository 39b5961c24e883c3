package hook

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/secret"
)

// Outside asks and tells the world beyond the hosts: HTTP servers, Prometheus,
// Alertmanager, webhooks, and commands on the controller. Safe for concurrent use.
type Outside struct {
	// Client is best made by NewClient: it follows no redirect.
	Client *http.Client
	// Secret resolves a reference such as env:NAME; nil: references are refused.
	Secret func(ctx context.Context, ref string) (secret.Secret, error)
	// Local runs the commands of inquiries.
	Local *Local
	// Now is the clock.
	Now func() time.Time

	mu   sync.Mutex
	told map[string]bool // what webhooks were told to set by this process
}
