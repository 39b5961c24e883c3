//go:build linux

package real_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

// traffic is a client that asks one address again and again.
type traffic struct {
	lab    *real.Lab
	url    string
	names  string // the header that names who gave an answer
	client *http.Client
	twice  bool // ask a second time when the connection was cut, as browsers do

	mu     sync.Mutex
	by     map[string]int // answers, by who gave them and what, e.g. "prod-1 ok 2.0"
	failed []string
	again  int // second tries
}

const (
	trafficPause = 10 * time.Millisecond
	trafficMost  = 20000 // requests; a test needs a tenth of it
)

// newTraffic asks the balancer until the test ends.
func newTraffic(t *testing.T, lab *real.Lab, balancer *real.Host) *traffic {
	t.Helper()
	c := &traffic{lab: lab, names: real.ServedBy}
	c.start(t, balancer.Address)
	return c
}

// newTrafficTo asks an address that moves from host to host. A request whose connection is
// cut by that is asked once more.
func newTrafficTo(t *testing.T, lab *real.Lab, address, names string) *traffic {
	t.Helper()
	c := &traffic{lab: lab, names: names, twice: true}
	c.start(t, address)
	return c
}

func (c *traffic) start(t *testing.T, address string) {
	t.Helper()
	c.url, c.by = fmt.Sprintf("http://%s:%d/", address, real.BalancerPort), map[string]int{}
	c.client = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DialContext: c.lab.Dial, DisableKeepAlives: true}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.loop(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

func (c *traffic) loop(ctx context.Context) {
	tick := time.NewTicker(trafficPause)
	defer tick.Stop()
	for range trafficMost {
		answer, err := c.ask(ctx)
		if c.twice && wasCut(err) {
			c.countAgain()
			answer, err = c.ask(ctx)
		}
		c.note(answer, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// wasCut tells whether a connection stood, and was cut before its answer was whole.
func wasCut(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (c *traffic) countAgain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.again++
}

// wantAgainAtMost wants no more second tries than that since it was last asked.
func (c *traffic) wantAgainAtMost(t *testing.T, most int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.again > most {
		t.Errorf("%d requests were asked a second time, want at most %d", c.again, most)
	}
	t.Logf("requests asked a second time: %d", c.again)
	c.again = 0
}

// ask makes one request on a connection of its own.
func (c *traffic) ask(ctx context.Context) (answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := c.client.Do(req)
	if ctx.Err() != nil {
		return "", nil // the test ends
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	said := resp.Header.Get(c.names) + " " + strings.TrimSpace(string(body))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, said)
	}
	return said, err
}

func (c *traffic) note(answer string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.failed = append(c.failed, time.Now().UTC().Format("15:04:05.000 ")+err.Error())
	case answer != "":
		c.by[answer]++
	}
}

// answers counts those of one kind so far.
func (c *traffic) answers(of string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[of]
}

// failures counts, and forgets.
func (c *traffic) failures() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	failed := c.failed
	c.failed = nil
	return failed
}

// wantNone wants no request to have failed, and says how many were made.
func (c *traffic) wantNone(t *testing.T) {
	t.Helper()
	if failed := c.failures(); len(failed) > 0 {
		t.Errorf("%d requests failed, the first: %s", len(failed), strings.Join(failed[:min(5, len(failed))], "; "))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Logf("requests answered: %v", c.by)
}

// canFail shows that a client is hurt where a server is down that was not drained: else
// its peace would prove nothing.
func (c *traffic) canFail(t *testing.T, server *real.Host) {
	t.Helper()
	server.Await("an answer", func() bool { return c.answers(server.Name+" ok 1.0") > 0 })
	c.wantNone(t)
	server.Must("systemctl", "stop", "pr-daemon")
	server.Await("a client that is hurt", func() bool { return len(c.failures()) > 0 })
	server.Must("systemctl", "start", "pr-daemon")
	well := c.answers(server.Name + " ok 1.0")
	server.Await("an answer again", func() bool { return c.answers(server.Name+" ok 1.0") > well })
	c.failures()
}
