package hook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/playbook"
)

// manager is an Alertmanager as the real one behaves: ended silences stay listed, an end
// is no removal, and a change of what was silenced ends the old one and makes another.
type manager struct {
	t    *testing.T
	url  string
	skew time.Duration // of its clock

	mu       sync.Mutex
	silences []*quiet
	posts    int
	lags     int // so many lists still show the state of before
	before   []byte
	fail     func(*http.Request) int // a status instead of an answer, or 0
	crash    func(*http.Request) bool
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{t: t}
	m.url = serve(t, m.handle).URL
	return m
}

func (m *manager) now() time.Time { return time.Now().Add(m.skew).UTC() }

func (m *manager) handle(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+planted {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("not you: " + r.Header.Get("Authorization")))
		return
	}
	if m.fail != nil {
		if status := m.fail(r); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	m.answer(w, r)
	if m.crash != nil && m.crash(r) { // it was done, and nobody hears of it
		panic(http.ErrAbortHandler)
	}
}

func (m *manager) answer(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Path[len("/api/v2/silence"):]
	switch {
	case r.Method == http.MethodGet && id == "s":
		m.list(w)
	case r.Method == http.MethodPost && id == "s":
		m.before = m.listed()
		m.post(w, r)
	case r.Method == http.MethodDelete:
		m.before = m.listed()
		m.end(w, id[1:])
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (m *manager) state(q *quiet) string {
	start, err := time.Parse(time.RFC3339, q.StartsAt)
	switch {
	case err != nil:
		m.t.Errorf("startsAt %q", q.StartsAt)
	case m.now().Before(start):
		return "pending"
	case m.now().After(q.EndsAt):
		return "expired"
	}
	return "active"
}

func (m *manager) listed() []byte {
	list := []quiet{}
	for _, q := range m.silences {
		shown := *q
		shown.Status = &status{m.state(q)}
		list = append(list, shown)
	}
	text, err := json.Marshal(list)
	if err != nil {
		m.t.Error(err)
	}
	return text
}

func (m *manager) list(w http.ResponseWriter) {
	text := m.listed()
	if m.lags > 0 && m.before != nil {
		m.lags--
		text = m.before
	}
	_, _ = w.Write(text)
}

func (m *manager) find(id string) *quiet {
	for _, q := range m.silences {
		if q.ID == id {
			return q
		}
	}
	return nil
}

func (m *manager) post(w http.ResponseWriter, r *http.Request) {
	var q quiet
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Header.Get("Content-Type") != "application/json" || len(q.Matchers) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if q.EndsAt.Before(m.now()) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`"end time can't be in the past"`))
		return
	}
	m.posts++
	old := m.find(q.ID)
	if q.ID != "" && old == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	m.set(old, q)
	_, _ = fmt.Fprintf(w, `{"silenceID":%q}`, m.silences[len(m.silences)-1].ID)
}

func (m *manager) set(old *quiet, q quiet) {
	if old != nil && m.state(old) == "active" && reflect.DeepEqual(old.Matchers, q.Matchers) && old.StartsAt == q.StartsAt {
		*old = q
		return
	}
	if old != nil && m.state(old) != "expired" {
		old.EndsAt = m.now().Add(-time.Nanosecond)
	}
	q.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(m.silences))
	if start, err := time.Parse(time.RFC3339, q.StartsAt); err != nil || start.Before(m.now()) {
		q.StartsAt = m.now().Format("2006-01-02T15:04:05.000Z07:00")
	}
	m.silences = append(m.silences, &q)
}

func (m *manager) end(w http.ResponseWriter, id string) {
	q := m.find(id)
	if q == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if m.state(q) != "expired" {
		q.EndsAt = m.now().Add(-time.Nanosecond)
	}
}

// active are the silences in force.
func (m *manager) active() []quiet {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []quiet
	for _, q := range m.silences {
		if m.state(q) == "active" {
			list = append(list, *q)
		}
	}
	return list
}

func (m *manager) mute() playbook.Mute {
	return playbook.Mute{
		Name: "am", Alertmanager: m.url + "/", Token: "env:TOKEN", TTL: 30 * time.Minute,
		Matchers: []playbook.Matcher{{Name: "site", Value: "{{ .site }}"}, {Name: "instance", Value: "{{.name}}:[0-9]+", Regex: true}},
	}
}
