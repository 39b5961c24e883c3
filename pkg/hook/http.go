package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

const (
	bodyMost   = 1 << 20
	listMost   = 16 << 20         // Alertmanager lists all silences of the last days at once
	oneRequest = 30 * time.Second // where the context has no deadline
)

// NewClient makes the client for Outside. Certificates are checked. Redirects are not
// followed: a server must not send us, or a token, elsewhere.
func NewClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DisableKeepAlives:      true, // a question every few minutes
			MaxResponseHeaderBytes: 64 << 10,
			TLSHandshakeTimeout:    10 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call is one request.
type call struct {
	method, base string
	path         []string // elements below base, of plain letters
	query        url.Values
	token        string // a reference
	body         any    // sent as JSON
	most         int64  // bytes of the answer; more is an error unless part is set
	part         bool
}

// reply is what a server said. Its text has not been cleaned.
type reply struct {
	status int
	body   []byte
	whole  bool
	token  secret.Secret
}

// send makes one request. The error is for what kept it from an answer.
func (o *Outside) send(ctx context.Context, c call) (reply, error) {
	if _, bound := ctx.Deadline(); !bound {
		limited, cancel := context.WithTimeout(ctx, oneRequest)
		defer cancel()
		ctx = limited
	}
	token, err := o.token(ctx, c.token)
	if err != nil {
		return reply{}, err
	}
	request, err := c.request(ctx, token)
	if err != nil {
		return reply{}, err
	}
	answer, err := o.Client.Do(request)
	if err != nil {
		return reply{}, noAnswer(request.URL, err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	most := c.most
	if most == 0 {
		most = bodyMost
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return reply{}, noAnswer(request.URL, err)
	}
	r := reply{status: answer.StatusCode, body: body[:min(int64(len(body)), most)], whole: int64(len(body)) <= most, token: token}
	if !r.whole && !c.part {
		return reply{}, noAnswer(request.URL, fmt.Errorf("the answer is larger than %d MiB", most>>20))
	}
	return r, nil
}

func (o *Outside) token(ctx context.Context, ref string) (secret.Secret, error) {
	if ref == "" {
		return secret.Secret{}, nil
	}
	if o.Secret == nil {
		return secret.Secret{}, &fault.Error{Kind: fault.GiveUp, Code: fault.Unsupported, What: "no secrets can be had here for the token"}
	}
	token, err := o.Secret(ctx, ref)
	if err == nil && token.Reveal() == "" {
		err = errors.New("the token is empty")
	}
	if err == nil && strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		err = errors.New("the token holds characters that no token has, such as a line break")
	}
	return token, err
}

func (c call) request(ctx context.Context, token secret.Secret) (*http.Request, error) {
	at, err := url.Parse(c.base)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fault.Usagef("", "the address to ask at is not an http or https URL")
	}
	if len(c.path) > 0 {
		at = at.JoinPath(c.path...)
	}
	if c.query != nil {
		at.RawQuery = c.query.Encode()
	}
	var body io.Reader = http.NoBody
	if c.body != nil {
		text, err := json.Marshal(c.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, c.method, at.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if c.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("User-Agent", "patchring")
	if token.Set() {
		request.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return request, nil
}

// noAnswer names the server, not the URL: its path or query may be somebody's secret.
func noAnswer(at *url.URL, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	what := "no answer: " + remote.Clean(err.Error(), saidBytes)
	if errors.Is(err, context.DeadlineExceeded) {
		what = "no answer in time"
	}
	return &fault.Error{Kind: fault.Retry, Code: fault.HostFailed, Step: remote.Clean(at.Host, saidBytes), What: what}
}

// said is the text of an answer for a person. A server that repeats our token is not quoted.
func (r reply) said() string {
	if r.token.Set() && bytes.Contains(r.body, []byte(r.token.Reveal())) {
		return "its words are not shown, since they hold the token"
	}
	return remote.Clean(string(r.body[:min(len(r.body), 4*saidBytes)]), saidBytes)
}

// refused is the error of an answer with another status than wanted.
func (r reply) refused(base, what string) error {
	host := base
	if at, err := url.Parse(base); err == nil {
		host = at.Host
	}
	e := &fault.Error{Kind: fault.Retry, Code: fault.HostFailed, Step: remote.Clean(host, saidBytes)}
	e.What = fmt.Sprintf("%s: HTTP status %d", what, r.status)
	if text := r.said(); text != "" {
		e.What += ": " + text
	}
	switch {
	case r.status >= 300 && r.status < 400:
		e.Kind, e.Hint = fault.GiveUp, "it redirects to another address; write that one"
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		e.Kind, e.Hint = fault.GiveUp, "look at token: in the playbook, and at what it may do"
	}
	return e
}
