// Package farm serves many SSH hosts on loopback whose every command gets one canned
// answer. It costs next to nothing, so that benchmarks measure the client; Spawn puts
// it into a process of its own, so that they measure the client alone.
package farm

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// Config of a farm.
type Config struct {
	Hosts  int    `json:"hosts"`            // how many listeners
	Answer []byte `json:"answer"`           // stdout of every command
	Err    []byte `json:"err,omitempty"`    // stderr of every command
	Status uint32 `json:"status,omitempty"` // exit status of every command
}

// Directory says how to reach a farm. All hosts share one key, and take one key.
type Directory struct {
	Addresses []string `json:"addresses"` // host:port, one a host
	HostKey   string   `json:"host_key"`  // as in known_hosts: type and base64
	Login     []byte   `json:"login"`     // a private key, made for this farm, in OpenSSH's format
}

// KnownHosts is a known_hosts file for the farm.
func (d Directory) KnownHosts() []byte {
	var out bytes.Buffer
	for _, address := range d.Addresses {
		host, port, _ := net.SplitHostPort(address)
		fmt.Fprintf(&out, "[%s]:%s %s\n", host, port, d.HostKey)
	}
	return out.Bytes()
}

// Farm is a running one.
type Farm struct {
	Directory
	config    Config
	server    *ssh.ServerConfig
	listeners []net.Listener
	wg        sync.WaitGroup
	accepts   atomic.Int64
	execs     atomic.Int64

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

// Start serves in this process until Close; ctx bounds the start only.
func Start(ctx context.Context, c Config) (*Farm, error) {
	f := &Farm{config: c, open: map[net.Conn]bool{}}
	if err := f.keys(); err != nil {
		return nil, err
	}
	for range c.Hosts {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			f.Close()
			return nil, err
		}
		f.listeners = append(f.listeners, l)
		f.Addresses = append(f.Addresses, l.Addr().String())
		f.wg.Go(func() { f.accept(l) })
	}
	return f, nil
}

func (f *Farm) keys() error {
	host, _, err := newKey()
	if err != nil {
		return err
	}
	client, private, err := newKey()
	if err != nil {
		return err
	}
	f.HostKey = string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(host.PublicKey())))
	f.Login = private
	want := client.PublicKey().Marshal()
	f.server = &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if bytes.Equal(key.Marshal(), want) {
			return nil, nil
		}
		return nil, errors.New("unknown key")
	}}
	f.server.AddHostKey(host)
	return nil
}

func newKey() (ssh.Signer, []byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "farm")
	if err != nil {
		return nil, nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	return signer, pem.EncodeToMemory(block), err
}

// Accepts counts the connections so far.
func (f *Farm) Accepts() int64 { return f.accepts.Load() }

// Execs counts the commands so far.
func (f *Farm) Execs() int64 { return f.execs.Load() }

// Close ends all connections and waits for their goroutines.
func (f *Farm) Close() {
	for _, l := range f.listeners {
		_ = l.Close()
	}
	f.mu.Lock()
	f.closed = true
	for c := range f.open {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
}

func (f *Farm) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		f.accepts.Add(1)
		if f.note(c) {
			f.wg.Go(func() { f.serve(c) })
		}
	}
}

func (f *Farm) note(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = c.Close()
		return false
	}
	f.open[c] = true
	return true
}

func (f *Farm) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		f.mu.Lock()
		delete(f.open, c)
		f.mu.Unlock()
	}()
	conn, channels, requests, err := ssh.NewServerConn(c, f.server)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	go ssh.DiscardRequests(requests)
	for open := range channels {
		if open.ChannelType() != "session" {
			_ = open.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		if ch, reqs, err := open.Accept(); err == nil {
			f.wg.Go(func() { f.session(ch, reqs) })
		}
	}
}

// session answers one exec; anything else is refused.
func (f *Farm) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer func() { _ = ch.Close() }()
	for req := range reqs {
		known := req.Type == "exec"
		if req.WantReply {
			_ = req.Reply(known, nil)
		}
		if !known {
			continue
		}
		f.execs.Add(1)
		_, _ = ch.Write(f.config.Answer)
		if len(f.config.Err) > 0 {
			_, _ = ch.Stderr().Write(f.config.Err)
		}
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{f.config.Status}))
		return
	}
}
