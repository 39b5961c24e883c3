//go:build linux

package real

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Request is one that the repository's server was asked.
type Request struct{ From, Path string }

// server serves a folder in both networks of the lab.
type server struct {
	files   string
	servers []*http.Server

	mu    sync.Mutex
	asked []Request
}

func serve(ctx context.Context, b *bundle, files string) (*server, error) {
	s := &server{files: files}
	for _, network := range []string{hubNet, innerNet} {
		l, err := listenIn(ctx, b.netPath(network), net.JoinHostPort(prefixOf(network)+"1", "80"))
		if err != nil {
			s.close()
			return nil, fmt.Errorf("serve the repository: %w", err)
		}
		h := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
		s.servers = append(s.servers, h)
		go func() { _ = h.Serve(l) }() // ends with close
	}
	return s, nil
}

// ServeHTTP notes who asks for what, and answers with a file.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, _, _ := strings.Cut(r.RemoteAddr, ":")
	s.mu.Lock()
	s.asked = append(s.asked, Request{from, r.URL.Path})
	s.mu.Unlock()
	r.URL.Path = settle(r.URL.Path, s.snapshots())
	http.FileServer(http.Dir(s.files)).ServeHTTP(w, r)
}

// snapshots are the names of those that there are.
func (s *server) snapshots() []string {
	entries, err := os.ReadDir(filepath.Join(s.files, snapshotDir))
	if err != nil {
		return nil // none was made
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (s *server) close() {
	for _, h := range s.servers {
		_ = h.Close()
	}
}

// URL is the repository's address for the hosts, and for programs run by Lab.Command.
// Below it lie dists and pool (apt), rpm (dnf, zypper), arch (pacman), key.asc, and
// snapshot.
func (r *Repo) URL() string { return "http://" + repoName }

// Requests are all that the server was asked so far, in order: by whom, as an address,
// and for what.
func (r *Repo) Requests() []Request {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return append([]Request(nil), r.server.asked...)
}
