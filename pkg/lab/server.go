package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/linux"
)

// maxSessions is OpenSSH's default of sessions on one connection.
const maxSessions = 10

// ident is what the server says it is.
func (h *Host) ident() string {
	switch h.spec.OS {
	case "ubuntu-24.04":
		return "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.11"
	case "rocky-9":
		return "SSH-2.0-OpenSSH_8.7"
	}
	return "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u6"
}

var errDenied = errors.New("permission denied")

func (h *Host) config() (*ssh.ServerConfig, error) {
	want, err := h.fleet.PublicKey()
	if err != nil {
		return nil, err
	}
	users := map[string]bool{h.fleet.spec.user(): true, "root": h.fleet.spec.user() == "root"}
	config := &ssh.ServerConfig{ServerVersion: h.ident(), MaxAuthTries: 6}
	config.PublicKeyCallback = func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if h.spec.Faults.RejectsKey || !users[meta.User()] || !bytes.Equal(key.Marshal(), want.Marshal()) {
			return nil, errDenied
		}
		return &ssh.Permissions{}, nil
	}
	h.addPassword(config, users)
	h.forge(config)
	config.AddHostKey(h.key)
	return config, nil
}

// addPassword lets the user's password in, by both of SSH's methods.
func (h *Host) addPassword(config *ssh.ServerConfig, users map[string]bool) {
	password := h.fleet.spec.Password
	if password == "" {
		return
	}
	right := func(user, given string) (*ssh.Permissions, error) {
		if !users[user] || given != password {
			return nil, errDenied
		}
		return &ssh.Permissions{}, nil
	}
	config.PasswordCallback = func(meta ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
		return right(meta.User(), string(given))
	}
	config.KeyboardInteractiveCallback = func(meta ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		answers, err := ask("", "", []string{"Password: "}, []bool{false})
		if err != nil || len(answers) != 1 {
			return nil, errDenied
		}
		return right(meta.User(), answers[0])
	}
}

// serve is one connection, from its first byte to its end.
func (h *Host) serve(conn net.Conn) {
	if h.spec.Faults.Silent {
		_, _ = io.Copy(io.Discard, conn) // until the other side or Cut ends it
		return
	}
	if h.rude(conn) {
		return
	}
	config, err := h.config()
	if err != nil {
		return
	}
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	// A host that went down meanwhile has no sessions.
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	c := &connection{h: h, ctx: ctx, net: conn}
	c.jobs.Go(func() { ssh.DiscardRequests(requests) })
	c.jobs.Go(func() { c.hijack(server) })
	c.login = h.machine.Login()
	c.login.Env["SSH_CONNECTION"] = fmt.Sprintf("%s 127.0.0.1 %d", strings.Replace(conn.RemoteAddr().String(), ":", " ", 1), linux.SSHPort)
	for opened := range channels {
		c.open(opened)
	}
	cancel()
	_ = server.Close() // it is at its end
	c.jobs.Wait()
}

// open answers a request for a channel as OpenSSH does.
func (c *connection) open(opened ssh.NewChannel) {
	switch opened.ChannelType() {
	case "session":
		if !c.take() {
			// OpenSSH's words; they mean MaxSessions.
			_ = opened.Reject(ssh.ConnectionFailed, "open failed")
			return
		}
		channel, requests, err := opened.Accept()
		if err != nil {
			c.give()
			return
		}
		s := &session{c: c, channel: channel}
		c.jobs.Go(func() {
			defer c.give()
			s.serve(requests)
		})
	case "direct-tcpip":
		c.jobs.Go(func() { c.forward(opened) })
	default:
		_ = opened.Reject(ssh.UnknownChannelType, "unknown channel type")
	}
}

func (c *connection) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions == maxSessions {
		return false
	}
	c.sessions++
	return true
}

func (c *connection) give() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions--
}

// forward lets a host serve as a bastion, to other hosts of loopback only.
func (c *connection) forward(opened ssh.NewChannel) {
	var target struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(opened.ExtraData(), &target); err != nil || target.Host != "127.0.0.1" && target.Host != "localhost" {
		_ = opened.Reject(ssh.Prohibited, "administratively prohibited")
		return
	}
	var dialer net.Dialer
	far, err := dialer.DialContext(c.ctx, "tcp4", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(target.Port)}).String())
	if err != nil {
		_ = opened.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	channel, requests, err := opened.Accept()
	if err != nil {
		_ = far.Close()
		return
	}
	join(c.ctx, channel, far, requests)
}

// join copies both ways until both directions are at their end.
func join(ctx context.Context, channel ssh.Channel, far net.Conn, requests <-chan *ssh.Request) {
	stop := context.AfterFunc(ctx, func() { _ = far.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { ssh.DiscardRequests(requests) })
	both.Go(func() {
		_, _ = io.Copy(far, channel)
		_ = far.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(channel, far)
	_ = channel.Close()
	_ = far.Close()
	both.Wait()
}
