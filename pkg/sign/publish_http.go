package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

const (
	postWait  = 30 * time.Second
	maxAnswer = 4 << 10
)

// post sends the statement. The server is told by the Idempotency-Key when it has it already.
func (p Publisher) post(ctx context.Context, line []byte) error {
	at, err := url.Parse(p.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.User != nil {
		return fault.Usagef("write publish: {url: https://…}, without a password", "the address to publish checkpoints at is not an http or https URL")
	}
	ctx, cancel := context.WithTimeout(ctx, postWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(line))
	if err != nil {
		return fault.Usagef("write publish: {url: https://…}", "the address to publish checkpoints at can't be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "patchring")
	request.Header.Set("Idempotency-Key", key(line))
	answer, err := p.client().Do(request)
	if err != nil {
		return unpublished(remote.Clean(at.Host, 200), fault.Retry, noAnswer(err), "")
	}
	defer func() { _ = answer.Body.Close() }() // it is only read
	return accepted(at.Host, answer)
}

// client is the caller's, or ours; neither follows redirects: what is signed for one place
// is not to be carried to another by that place.
func (p Publisher) client() *http.Client {
	client := http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: 10 * time.Second,
	}}
	if p.Client != nil {
		client = *p.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// noAnswer leaves the URL out: its path or query may be somebody's secret.
func noAnswer(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return fmt.Errorf("no answer: %s", remote.Clean(err.Error(), 200))
}

func accepted(host string, answer *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return nil // what it says beside that does not matter
	}
	said := remote.Clean(string(text), 200)
	if err != nil {
		said = noAnswer(err).Error()
	}
	kind, hint := fault.Retry, ""
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		kind, hint = fault.GiveUp, "it redirects to another address; write that one"
	case answer.StatusCode >= 400 && answer.StatusCode < 500:
		kind = fault.GiveUp
	}
	return unpublished(remote.Clean(host, 200), kind, fmt.Errorf("HTTP status %d: %s", answer.StatusCode, said), hint)
}
