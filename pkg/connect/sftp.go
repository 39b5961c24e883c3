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
	// While it opens, only closing the connection frees it from a silent host.
	stop := context.AfterFunc(ctx, c.close)
	ch, client, err := c.startSFTP(func(bool) bool { return ctx.Err() == nil })
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		<-c.sessions
		return nil, err
	}
	return &transfer{Client: client, conn: c, free: l.fleet.freeSFTP(ctx, c, ch, client)}, nil
}

func (c *conn) startSFTP(mark func(bool) bool) (ssh.Channel, *sftp.Client, error) {
	ch, reqs, err := c.openSession(mark)
	if err != nil {
		return nil, nil, c.openFault(err)
	}
	go ssh.DiscardRequests(reqs)                            // ends with the channel
	go func() { _, _ = io.Copy(io.Discard, ch.Stderr()) }() // likewise
	ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err != nil {
		return nil, nil, lostFile(err)
	}
	if !ok {
		_ = ch.Close()
		return nil, nil, errNoSFTP
	}
	client, err := sftp.NewClientPipe(ch, ch, sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(writesAhead))
	if err != nil {
		_ = ch.Close()
		return nil, nil, fmt.Errorf("%w: %w", errNoSFTP, err)
	}
	return ch, client, nil
}

// freeSFTP ends a session once, and frees it when ctx ends: by its channel, or by
// the whole connection if the host does not play along.
func (f *Fleet) freeSFTP(ctx context.Context, c *conn, ch ssh.Channel, client *sftp.Client) func() {
	finished := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		go func() { _ = ch.Close() }()
		graceOf(c, finished)
	})
	return sync.OnceFunc(func() {
		stop()
		end := func() { _ = client.Close(); <-c.sessions; close(finished) }
		if !f.spawn(end) {
			go end()
		}
	})
}
