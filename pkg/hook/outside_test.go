package hook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/secret"
)

const planted = "hunter2-planted"

func outside(t *testing.T) *Outside {
	t.Helper()
	return &Outside{
		Client: NewClient(), Local: Controller(t.TempDir()), Now: time.Now,
		Secret: func(_ context.Context, ref string) (secret.Secret, error) {
			if ref != "env:TOKEN" {
				return secret.Secret{}, errors.New("no such secret")
			}
			return secret.New(planted), nil
		},
	}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// asked fails the test unless the question gets this answer.
func asked(t *testing.T, q playbook.Inquiry, want health.Verdict, says string) {
	t.Helper()
	got, seen := outside(t).Ask(t.Context(), q, Values{Ring: "production", Hook: "gate"}.Env())
	if got != want || !strings.Contains(seen, says) || seen == "" || strings.Contains(seen, planted) {
		t.Errorf("want %s with %q, got %s %q", want, says, got, seen)
	}
}

func TestAskCommand(t *testing.T) {
	t.Setenv("TOKEN", planted)
	for name, c := range map[string]struct {
		argv []string
		want health.Verdict
		says string
	}{
		"yes":       {[]string{"sh", "-c", `[ "$PATCHRING_RING $PATCHRING_HOOK" = "production gate" ] && [ -z "${TOKEN:-}" ] && echo fine`}, health.Pass, "fine"},
		"no":        {[]string{"sh", "-c", `echo closed >&2; exit 2`}, health.Fail, "exit status 2; closed"},
		"control":   {[]string{"sh", "-c", `printf '\033[2Jx'; exit 2`}, health.Fail, `\x1b[2Jx`},
		"absent":    {[]string{"/no/such/command"}, health.Unknown, "could not be started"},
		"killed":    {[]string{"sh", "-c", `kill -9 $$`}, health.Unknown, "killed"},
		"too long":  {[]string{"sleep", "60"}, health.Unknown, "did not end in time"},
		"much":      {[]string{"sh", "-c", `head -c 10000000 /dev/zero`}, health.Pass, "exit status 0"},
		"no words":  {nil, health.Unknown, "no command"},
		"127 is no": {[]string{"sh", "-c", "exit 127"}, health.Fail, "127"},
	} {
		t.Run(name, func(t *testing.T) {
			asked(t, playbook.Inquiry{Command: &health.Command{Argv: c.argv}, Within: 2 * time.Second}, c.want, c.says)
		})
	}
	asked(t, playbook.Inquiry{Command: &health.Command{Argv: []string{"true"}, Become: true}}, health.Unknown, "root")
	asked(t, playbook.Inquiry{}, health.Unknown, "nothing was asked")
}

func TestAskHTTP(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bad":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/slow":
			_, _ = w.Write([]byte("begun"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/huge":
			for range 40 {
				_, _ = w.Write(make([]byte, 64<<10))
			}
			_, _ = w.Write([]byte("wanted"))
		default:
			_, _ = w.Write([]byte("all is wanted here"))
		}
	})
	for name, c := range map[string]struct {
		ask  health.HTTP
		want health.Verdict
		says string
	}{
		"yes":        {health.HTTP{URL: s.URL, Status: 200, Contains: "wanted"}, health.Pass, "200"},
		"default":    {health.HTTP{URL: s.URL}, health.Pass, "200"},
		"status":     {health.HTTP{URL: s.URL + "/bad", Status: 200}, health.Fail, "503"},
		"text":       {health.HTTP{URL: s.URL, Status: 200, Contains: "other"}, health.Fail, "text"},
		"redirect":   {health.HTTP{URL: s.URL + "/away", Status: 200}, health.Fail, "302"},
		"slow":       {health.HTTP{URL: s.URL + "/slow", Status: 200}, health.Unknown, "in time"},
		"huge":       {health.HTTP{URL: s.URL + "/huge", Status: 200, Contains: "wanted"}, health.Unknown, "first 1 MiB"},
		"huge alone": {health.HTTP{URL: s.URL + "/huge", Status: 200}, health.Pass, "200"},
		"no server":  {health.HTTP{URL: "http://127.0.0.1:1/x?key=" + planted, Status: 200}, health.Unknown, "no answer"},
		"no URL":     {health.HTTP{URL: "ftp://x", Status: 200}, health.Unknown, "not an http"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked(t, playbook.Inquiry{HTTP: &c.ask, Within: time.Second}, c.want, c.says)
		})
	}
}

// slow is a server that answers after a while.
type slow time.Duration

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(time.Duration(s)):
	}
	body := `{"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}`
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// An inquiry waits for as long as its author says; what nobody bounds ends all the same.
func TestSlowServersHaveTheTimeTheyAreGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, least := outside(t), 1.0
		o.Client = &http.Client{Transport: slow(90 * time.Second)}
		page := playbook.Inquiry{HTTP: &health.HTTP{URL: "http://shop.example/"}}
		query := playbook.Inquiry{Prometheus: &playbook.Prometheus{URL: "http://prom.example", Query: "up", Min: &least}}
		for _, q := range []playbook.Inquiry{page, query} {
			for within, want := range map[time.Duration]health.Verdict{0: health.Unknown, time.Minute: health.Unknown, 2 * time.Minute: health.Pass} {
				q.Within = within
				if got, seen := o.Ask(t.Context(), q, nil); got != want {
					t.Errorf("within %s: want %s, got %s %q", within, want, got, seen)
				}
			}
		}
		began := time.Now()
		_, err := o.send(t.Context(), call{method: http.MethodGet, base: "http://shop.example/"})
		if took := time.Since(began); err == nil || took != oneRequest {
			t.Errorf("without a deadline: %v after %s", err, took)
		}
	})
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	asked(t, playbook.Inquiry{HTTP: &health.HTTP{URL: s.URL, Status: 404}}, health.Unknown, "certificate")
}

func TestAskPrometheus(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/prom/api/v1/query" || r.FormValue("query") != `sum(rate(errors{a="b"}[5m]))` || r.Header.Get("Authorization") != "Bearer "+planted {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("unlike " + r.Header.Get("Authorization")))
			return
		}
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1435781451.781,"0.5"]}]}}`))
	})
	ask := playbook.Prometheus{URL: s.URL + "/prom/", Query: `sum(rate(errors{a="b"}[5m]))`, Token: "env:TOKEN", Max: new(1.0)}
	inquiry := func(change func(*playbook.Prometheus)) playbook.Inquiry {
		p := ask
		change(&p)
		return playbook.Inquiry{Prometheus: &p}
	}
	asked(t, inquiry(func(*playbook.Prometheus) {}), health.Pass, `a="b" is 0.5`)
	asked(t, inquiry(func(p *playbook.Prometheus) { p.Max = new(0.1) }), health.Fail, "at most 0.1")
	asked(t, inquiry(func(p *playbook.Prometheus) { p.Min = new(0.6) }), health.Fail, "at least 0.6")
	asked(t, inquiry(func(p *playbook.Prometheus) { p.Query = "up" }), health.Unknown, "HTTP status 400: its words are not shown")
	asked(t, inquiry(func(p *playbook.Prometheus) { p.Token = "env:OTHER" }), health.Unknown, "no such secret")
	asked(t, inquiry(func(p *playbook.Prometheus) { p.Token = "" }), health.Unknown, "400")
	asked(t, inquiry(func(p *playbook.Prometheus) { p.URL = "http://127.0.0.1:1" }), health.Unknown, "no answer")
}

func TestTokensAreOfUse(t *testing.T) {
	for _, value := range []string{"", "a\nb", "a b"} {
		o := outside(t)
		o.Secret = func(context.Context, string) (secret.Secret, error) { return secret.New(value), nil }
		if _, err := o.token(t.Context(), "env:X"); err == nil || value != "" && strings.Contains(err.Error(), value) {
			t.Errorf("%q: got %v", value, err)
		}
	}
	if _, err := (&Outside{}).token(t.Context(), "env:X"); fault.CodeOf(err) != fault.Unsupported {
		t.Errorf("got %v", err)
	}
}
