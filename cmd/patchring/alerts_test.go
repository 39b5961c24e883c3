package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// alertmanager is as much of Alertmanager as silences need. Whatever it is told it
// writes to a file, one line each: "set HOST", "extend HOST", "remove HOST".
type alertmanager struct {
	log string

	mu   sync.Mutex
	all  []map[string]any
	host map[string]string // by id
}

// alertsCommand: `alerts VARIABLE` starts one that logs to alerts.log, and sets a variable
// to its URL.
func alertsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: alerts VARIABLE")
	}
	a := &alertmanager{log: filepath.Join(ts.Getenv("WORK"), "alerts.log"), host: map[string]string{}}
	server := a.serve()
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

func (a *alertmanager) serve() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/silences", a.list)
	mux.HandleFunc("POST /api/v2/silences", a.post)
	mux.HandleFunc("DELETE /api/v2/silence/{id}", a.remove)
	return httptest.NewServer(mux)
}

// left are the hosts whose alerts are quiet now.
func (a *alertmanager) left() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var hosts []string
	for _, s := range a.all {
		if state, _ := s["status"].(map[string]string); state["state"] == "active" {
			hosts = append(hosts, matched(s))
		}
	}
	return hosts
}

func (a *alertmanager) list(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.all {
		ends, err := time.Parse(time.RFC3339, fmt.Sprint(s["endsAt"]))
		if err != nil || !time.Now().Before(ends) {
			s["status"] = map[string]string{"state": "expired"}
		}
	}
	if a.all == nil {
		a.all = []map[string]any{}
	}
	a.answer(w, a.all)
}

func (*alertmanager) answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (a *alertmanager) post(w http.ResponseWriter, r *http.Request) {
	var s map[string]any
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s["status"] = map[string]string{"state": "active"}
	if id, _ := s["id"].(string); id != "" {
		for i, old := range a.all {
			if old["id"] == id {
				a.all[i] = s
				a.tell("extend " + a.host[id])
			}
		}
		a.answer(w, map[string]any{"silenceID": id})
		return
	}
	id := fmt.Sprintf("silence-%d", len(a.all)+1)
	s["id"] = id
	a.host[id] = matched(s)
	a.all = append(a.all, s)
	a.tell("set " + a.host[id])
	a.answer(w, map[string]any{"silenceID": id})
}

// matched is the value of the first matcher.
func matched(s map[string]any) string {
	list, _ := s["matchers"].([]any)
	if len(list) == 0 {
		return ""
	}
	first, _ := list[0].(map[string]any)
	return fmt.Sprint(first["value"])
}

func (a *alertmanager) remove(_ http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := r.PathValue("id")
	for _, s := range a.all {
		if s["id"] == id {
			s["status"] = map[string]string{"state": "expired"}
			a.tell("remove " + a.host[id])
		}
	}
}

func (a *alertmanager) tell(line string) {
	f, err := os.OpenFile(a.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return // the script misses the line
	}
	_, _ = fmt.Fprintln(f, line)
	_ = f.Close()
}
