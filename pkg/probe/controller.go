package probe

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/remote"
)

const (
	dialWithin = 10 * time.Second
	bodyBytes  = 256 << 10 // where a wanted text is looked for; the same as on a host
)

// fromHere asks a question that the controller itself answers.
func (p *prober) fromHere(ctx context.Context, c health.Check) (health.Verdict, string) {
	ctx, cancel := context.WithTimeout(ctx, min(c.Patience(), dialWithin))
	defer cancel()
	filled, err := c.Fill(p.vars)
	switch {
	case err != nil:
		return health.Unknown, said(err)
	case filled.TCP != nil:
		return p.dial(ctx, *filled.TCP)
	case filled.HTTP != nil:
		return get(ctx, *filled.HTTP)
	}
	return health.Unknown, "the controller can't answer this"
}

func (p *prober) dial(ctx context.Context, c health.TCP) (health.Verdict, string) {
	host, port, err := c.HostPort()
	if err != nil {
		return health.Unknown, said(err)
	}
	if host == "" {
		host = p.vars.Address
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return health.Fail, said(err)
	}
	_ = conn.Close() // it was open: that was the question
	return health.Pass, "open"
}

// get asks once. Redirects are not followed: a host must not send us elsewhere.
// The certificate is not checked: the question is whether the service answers, and
// it is mostly asked by address. No proxy: it would answer in the host's place.
func get(ctx context.Context, c health.HTTP) (health.Verdict, string) {
	transport := &http.Transport{
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, http.NoBody)
	if err != nil {
		return health.Unknown, said(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return health.Fail, "no answer: " + said(err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	contains := false
	if c.Contains != "" {
		body, err := io.ReadAll(io.LimitReader(response.Body, bodyBytes))
		if err != nil && len(body) == 0 {
			return health.Fail, "no answer: " + said(err)
		}
		contains = strings.Contains(string(body), c.Contains)
	}
	return health.JudgeHTTP(c, response.StatusCode, contains)
}

func said(err error) string { return remote.Clean(err.Error(), 300) }
