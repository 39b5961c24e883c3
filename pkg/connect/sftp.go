package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// errNoSFTP: the host has no SFTP subsystem.
var errNoSFTP = errors.New("the host has no SFTP")

// writesAhead is how many 32 KiB writes may be unanswered: one at a time makes
// 0.3 MiB/s of a 100 ms line, 64 of them 15 MiB/s.
const writesAhead = 64

// openSFTP starts an SFTP session on the lease's connection, or on a new one when
// that turns out to be dead.
func (l *Lease) openSFTP(ctx context.Context) (*transfer, error) {
	s, err := l.openSFTPOnce(ctx)
	if errors.Is(err, errNotSent) {
		s, err = l.openSFTPOnce(ctx)
	}
	if errors.Is(err, errNotSent) {
		err = lostFile(err)
	}
	return s, err
}

func (l *Lease) openSFTPOnce(ctx context.Context) (*transfer, error) {
	c, err := l.conn(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case c.sessions <- struct{}{}:
	case <-ctx.Done():
		return nil, gaveUp(ctx)
	case <-c.done:
		return nil, errNotSent
	}
	ch, reqs, err := c.openSession(ctx, c.closeWhenLate(ctx))
	if err != nil {
		<-c.sessions
		return nil, c.openFault(ctx, err)
	}
	// While it begins, only closing the connection frees it from a silent host.
	stop := context.AfterFunc(ctx, c.close)
	client, err := startSFTP(ch, reqs)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		<-c.sessions
		return nil, err
	}
	return &transfer{Client: client, conn: c, free: l.fleet.freeSFTP(ctx, c, ch, client)}, nil
}

func startSFTP(ch ssh.Channel, reqs <-chan *ssh.Request) (*sftp.Client, error) {
	go ssh.DiscardRequests(reqs)                            // ends with the channel
	go func() { _, _ = io.Copy(io.Discard, ch.Stderr()) }() // likewise
	ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err != nil {
		return nil, lostFile(err)
	}
	if !ok {
		_ = ch.Close()
		return nil, errNoSFTP
	}
	client, err := sftp.NewClientPipe(ch, ch, sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(writesAhead))
	if err != nil {
		_ = ch.Close()
		return nil, fmt.Errorf("%w: %w", errNoSFTP, err)
	}
	return client, nil
}

// freeSFTP ends a session once, and frees it when ctx ends: by its channel, or by
// the whole connection if the host does not play along.
func (f *Fleet) freeSFTP(ctx context.Context, c *conn, ch ssh.Channel, client *sftp.Client) func() {
	finished, ended := make(chan struct{}), c.ours.begin()
	stop := context.AfterFunc(ctx, func() {
		go func() { _ = ch.Close() }()
		graceOf(c, finished)
	})
	return sync.OnceFunc(func() {
		stop()
		end := func() { _ = client.Close(); ended(); <-c.sessions; close(finished) }
		if !f.spawn(end) {
			go end()
		}
	})
}
