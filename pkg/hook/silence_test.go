package hook

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
)

const key = "r1 hq/web.01 am"

func host() health.Vars { return health.Vars{Name: "web.01", Site: "hq", Address: "10.0.0.5"} }

func silence(t *testing.T, m *manager, until time.Time) error {
	t.Helper()
	return outside(t).Silence(t.Context(), m.mute(), host(), key, until)
}

func unsilence(t *testing.T, m *manager) error {
	t.Helper()
	return outside(t).Unsilence(t.Context(), m.mute(), host(), key)
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSilenceIsSetExtendedAndEnded(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	until := time.Now().Add(30 * time.Minute)
	noError(t, silence(t, m, until))
	noError(t, silence(t, m, until)) // as after a crash
	got := m.active()
	if len(got) != 1 || m.posts != 1 {
		t.Fatalf("%d posts, in force: %+v", m.posts, got)
	}
	q := got[0]
	if q.CreatedBy != "patchring" || !strings.Contains(q.Comment, key) || q.EndsAt.Sub(until).Abs() > time.Second ||
		q.Matchers[0].Value != "hq" || q.Matchers[1].Value != `web\.01:[0-9]+` || !q.Matchers[1].IsRegex || !q.Matchers[1].equal() {
		t.Errorf("got %+v", q)
	}
	noError(t, silence(t, m, until.Add(time.Hour)))
	if got := m.active(); len(got) != 1 || got[0].ID != q.ID || got[0].EndsAt.Sub(until) < 59*time.Minute {
		t.Errorf("not extended: %+v", got)
	}
	noError(t, unsilence(t, m))
	noError(t, unsilence(t, m))
	if got := m.active(); len(got) != 0 {
		t.Errorf("still in force: %+v", got)
	}
	// What has expired stays listed, and is not taken for one in force.
	noError(t, silence(t, m, until))
	if got := m.active(); len(got) != 1 || got[0].ID == q.ID {
		t.Errorf("got %+v", got)
	}
}

// Whatever was done before nobody heard of it, the next try finds it.
func TestSilenceAfterACut(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	cut := http.MethodPost
	m.crash = func(r *http.Request) bool {
		hit := r.Method == cut
		if hit {
			cut = ""
		}
		return hit
	}
	until := time.Now().Add(time.Hour)
	if err := silence(t, m, until); err == nil || fault.KindOf(err) != fault.Retry {
		t.Errorf("got %v", err)
	}
	noError(t, silence(t, m, until))
	if got := m.active(); len(got) != 1 {
		t.Errorf("got %+v", got)
	}
	cut = http.MethodDelete
	if err := unsilence(t, m); err == nil {
		t.Error("no error")
	}
	noError(t, unsilence(t, m))
}

func TestSilencesOfOthersStay(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	soon := time.Now().Add(time.Hour).UTC()
	start := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	for id, q := range map[string]quiet{
		"a": {CreatedBy: "jane", Comment: remark + key}, "b": {CreatedBy: creator, Comment: remark + key + "2"},
		"c": {CreatedBy: creator, Comment: "x " + remark + key},
	} {
		q.ID, q.StartsAt, q.EndsAt, q.Matchers = id, start, soon, []matcher{{Name: "a", Value: "b"}}
		m.silences = append(m.silences, &q)
	}
	noError(t, silence(t, m, soon))
	noError(t, unsilence(t, m))
	if got := m.active(); len(got) != 3 {
		t.Errorf("got %+v", got)
	}
	// Of several of ours, all are ended.
	for range 3 {
		m.set(nil, quiet{CreatedBy: creator, Comment: remark + key, StartsAt: start, EndsAt: soon, Matchers: []matcher{{Name: "a", Value: "b"}}})
	}
	noError(t, unsilence(t, m))
	if got := m.active(); len(got) != 3 {
		t.Errorf("got %+v", got)
	}
}

// Behind a balancer, the next look may show another Alertmanager.
func TestSilenceIsSeenLater(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	m.lags = 1
	noError(t, silence(t, m, time.Now().Add(time.Hour)))
	if got := m.active(); len(got) != 1 || m.lags != 0 {
		t.Errorf("%d %+v", m.lags, got)
	}
}

func TestSilenceWithClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-20 * time.Minute, 20 * time.Minute} {
		m := newManager(t)
		m.skew = skew
		noError(t, silence(t, m, time.Now().Add(time.Hour)))
		if got := m.active(); len(got) != 1 {
			t.Errorf("%s: got %+v", skew, got)
		}
	}
}

// The silence that is to be extended may go at that moment.
func TestSilenceThatGoesMeanwhile(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	noError(t, silence(t, m, time.Now().Add(time.Minute)))
	m.fail = func(r *http.Request) int {
		if r.Method == http.MethodPost {
			m.silences = nil
		}
		return 0
	}
	noError(t, silence(t, m, time.Now().Add(time.Hour)))
	if got := m.active(); len(got) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestSilenceThatFails(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	until := time.Now().Add(time.Hour)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, code := range []int{302, 400, 403, 404, 500} {
			m.fail = func(r *http.Request) int {
				if r.Method == method {
					return code
				}
				return 0
			}
			if err := silence(t, m, until); err == nil || strings.Contains(err.Error(), planted) {
				t.Errorf("%s %d: got %v", method, code, err)
			}
		}
	}
	m.fail = nil
	if err := silence(t, m, time.Now().Add(-time.Hour)); err == nil || !strings.Contains(err.Error(), "in the past") {
		t.Errorf("got %v", err)
	}
	wrong := m.mute()
	wrong.Token = ""
	if err := outside(t).Silence(t.Context(), wrong, host(), key, until); err == nil || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

func TestListThatCantBeBelieved(t *testing.T) {
	for name, body := range map[string]string{
		"null": `null`, "object": `{}`, "html": `<html>`, "more": `[] x`,
		"no state": `[{"id":"a","createdBy":"patchring","comment":"` + remark + key + `"}]`,
		"bad id":   `[{"id":"../../x","status":{"state":"active"},"createdBy":"patchring","comment":"` + remark + key + `"}]`,
		"no id":    `[{"status":{"state":"active"},"createdBy":"patchring","comment":"` + remark + key + `"}]`,
	} {
		if got, err := readSilences([]byte(body), key); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if got, err := readSilences([]byte(`[{"id":"../x","createdBy":"jane"},{"id":"a","status":{"state":"expired"},"createdBy":"patchring","comment":"`+remark+key+`"}]`), key); err != nil || len(got) != 0 {
		t.Errorf("got %+v %v", got, err)
	}
}

func FuzzSilences(f *testing.F) {
	f.Add([]byte(`[{"id":"a","status":{"state":"active"},"createdBy":"patchring","comment":"` + remark + key + `","endsAt":"2026-01-01T00:00:00.000Z","matchers":[{"name":"a","value":"b","isRegex":false}]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		mine, err := readSilences(body, key)
		if err != nil && len(mine) > 0 {
			t.Error("both silences and an error")
		}
		for _, q := range mine {
			if q.Status == nil || !silenceID.MatchString(q.ID) || q.Comment != remark+key || q.CreatedBy != creator {
				t.Errorf("got %+v", q)
			}
		}
	})
}

func TestMatchers(t *testing.T) {
	for name, c := range map[string]struct {
		list []playbook.Matcher
		v    health.Vars
		want string // of the first value; empty: an error
	}{
		"plain":      {[]playbook.Matcher{{Name: "instance", Value: "{{ .address }}:9100"}}, host(), "10.0.0.5:9100"},
		"regex":      {[]playbook.Matcher{{Name: "instance", Value: "{{ .name }}.*", Regex: true}}, host(), `web\.01.*`},
		"braces":     {[]playbook.Matcher{{Name: "a", Value: "x{2}", Regex: true}}, host(), "x{2}"},
		"none":       {nil, host(), ""},
		"everything": {[]playbook.Matcher{{Name: "a", Value: ".*", Regex: true}}, host(), ""},
		"no value":   {[]playbook.Matcher{{Name: "a", Value: ""}}, host(), ""},
		"no name":    {[]playbook.Matcher{{Name: "a-b", Value: "x"}}, host(), ""},
		"unknown":    {[]playbook.Matcher{{Name: "a", Value: "{{ .other }}"}}, host(), ""},
		"half":       {[]playbook.Matcher{{Name: "a", Value: "{{ name"}}, host(), ""},
		"empty":      {[]playbook.Matcher{{Name: "a", Value: "{{ .site }}"}}, health.Vars{Name: "x"}, ""},
		"bad regex":  {[]playbook.Matcher{{Name: "a", Value: "(", Regex: true}}, host(), ""},
		"twice":      {[]playbook.Matcher{{Name: "a", Value: "{{ .name }}"}}, health.Vars{Name: "{{ .site }}", Site: "hq"}, "{{ .site }}"},
	} {
		got, err := fillMatchers(c.list, c.v)
		if c.want == "" && err == nil || c.want != "" && (err != nil || got[0].Value != c.want) {
			t.Errorf("%s: got %+v %v", name, got, err)
		}
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	var got []notice
	code := http.StatusNoContent
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var n notice
		if err != nil || json.Unmarshal(body, &n) != nil || r.Method != http.MethodPost || r.URL.Path != "/secret-path" || r.Header.Get("Authorization") != "Bearer "+planted {
			t.Errorf("got %s %s %q", r.Method, r.URL, body)
		}
		got = append(got, n)
		w.WriteHeader(code)
	})
	o, m := outside(t), playbook.Mute{Webhook: s.URL + "/secret-path", Token: "env:TOKEN"}
	until := time.Date(2026, 12, 1, 2, 3, 4, 5, time.FixedZone("x", 3600))
	noError(t, o.Silence(t.Context(), m, host(), key, until))
	noError(t, o.Silence(t.Context(), m, host(), key, until))
	noError(t, o.Unsilence(t.Context(), m, host(), key))
	for i, action := range []string{"set", "extend", "remove"} {
		want := notice{Version: 1, Action: action, Key: key, Host: "web.01", Site: "hq", Address: "10.0.0.5", Until: "2026-12-01T01:03:04Z"}
		if action == "remove" {
			want.Until = ""
		}
		if got[i] != want {
			t.Errorf("got  %+v\nwant %+v", got[i], want)
		}
	}
	for _, code = range []int{http.StatusFound, http.StatusForbidden, http.StatusInternalServerError} {
		if err := o.Silence(t.Context(), m, host(), key, until); err == nil || strings.Contains(err.Error(), "secret-path") || strings.Contains(err.Error(), planted) {
			t.Errorf("%d: got %v", code, err)
		}
	}
	s.Close()
	if err := o.Silence(t.Context(), m, host(), key, until); err == nil || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("got %v", err)
	}
}

func TestMuteIsOneOfItsKinds(t *testing.T) {
	for _, m := range []playbook.Mute{{}, {Alertmanager: "http://a", Webhook: "http://b"}, {Webhook: "b"}, {Alertmanager: "ftp://a", Matchers: []playbook.Matcher{{Name: "a", Value: "b"}}}} {
		if err := outside(t).Silence(t.Context(), m, host(), key, time.Now()); err == nil {
			t.Errorf("%+v was taken", m)
		}
	}
	for _, k := range []string{"", "a\nb"} {
		if err := outside(t).Unsilence(t.Context(), playbook.Mute{Webhook: "http://127.0.0.1:1"}, host(), k); err == nil || fault.CodeOf(err) != fault.Internal {
			t.Errorf("%q: got %v", k, err)
		}
	}
}
