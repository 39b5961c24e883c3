package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

func (p *stepper) files(s *Step) outcome {
	c := (*call)(p)
	if s.Copy != nil {
		c.err = ""
		if err := c.copy(c.text(s.Copy.From), c.text(s.Copy.To)); err != nil {
			c.err = err.Error()
		}
		if c.ctx.Err() != nil {
			return overSession
		}
	}
	if s.Delete != "" {
		c.remove(c.text(s.Delete))
	}
	if s.Fill != nil {
		c.err = ""
		if err := c.fill(s.Fill); err != nil {
			c.err = err.Error()
		}
	}
	return goOn
}

// copy brings a file from a URL or a path to a path.
func (c *call) copy(from, to string) error {
	d := c.d
	if strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://") {
		return d.fetch(c.ctx, c.member, from, to)
	}
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	m := c.member
	if m == nil {
		m = d.me()
	}
	source := d.find(m, from)
	if source == nil {
		return errNotFound
	}
	at, err := d.resolve(m, to)
	if err != nil {
		return err
	}
	made := *source
	made.Name, made.Time = at.name, d.sys.clock.now()
	if at.name == "" || strings.HasSuffix(at.name, "/") {
		made.Name = at.name + path.Base(source.Name)
	}
	return at.volume.put(made.Name, &made)
}

var errFetch = errors.New("can't fetch")

// fetch is a pull by the device: the URL is really fetched.
func (d *Device) fetch(ctx context.Context, m *Member, from, to string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return errFetch
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return errFetch
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", errFetch, strconv.Itoa(response.StatusCode))
	}
	return d.receive(ctx, m, to, response.Body, response.ContentLength)
}

// receive takes a file in over the network; size is negative where nobody said it.
func (d *Device) receive(ctx context.Context, m *Member, to string, from io.Reader, size int64) error {
	d.sys.mu.Lock()
	if m == nil {
		m = d.me()
	}
	at, err := d.resolve(m, to)
	d.sys.mu.Unlock()
	if err != nil {
		return err
	}
	in := newIntake()
	err = d.flow(ctx, in, at, from, size)
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	stored := at.volume.put(at.name, in.stored(at.name, d.sys.clock.now()))
	keep(&d.done.Received, to)
	if err == nil {
		err = stored
	}
	return err
}

// flow reads a file, or as much of it as a fault allows.
func (d *Device) flow(ctx context.Context, in *intake, at place, from io.Reader, size int64) error {
	fault := d.transfer(max(size, 0))
	in.bad = fault != nil && fault.Do == "hash_mismatch"
	cut := fault != nil && !in.bad
	limit := size
	if cut {
		limit = fault.after
	}
	if limit >= 0 {
		from = io.LimitReader(from, limit)
	}
	n, err := io.Copy(in, from)
	switch {
	case err != nil:
		return fmt.Errorf("receive: %w", err)
	case cut:
		return d.fails(ctx, at, fault)
	case n < size:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// fails is the middle of a transfer that goes wrong.
func (d *Device) fails(ctx context.Context, at place, fault *transferFault) error {
	switch fault.Do {
	case "drop":
		d.Cut()
		return io.ErrUnexpectedEOF
	case "hang":
		<-ctx.Done()
		return io.ErrUnexpectedEOF
	}
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	at.volume.Free = 0
	return errNoSpace
}

// remove deletes the files that fit a path; * stands for anything.
func (c *call) remove(pattern string) {
	d := c.d
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	m := c.member
	if m == nil {
		m = d.me()
	}
	c.err = errNotFound.Error()
	at, err := d.resolve(m, pattern)
	if err != nil {
		return
	}
	for _, name := range sortedKeys(at.volume.Files) {
		if fits, err := path.Match(at.name, name); err == nil && fits {
			at.volume.remove(name)
			c.err = ""
			keep(&d.done.Effects, Effect{At: d.sys.clock.now(), Name: "delete " + name, User: c.user()})
		}
	}
}

// fill makes a file.
func (c *call) fill(s *FillStep) error {
	d := c.d
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	m := c.member
	if m == nil {
		m = d.me()
	}
	at, err := d.resolve(m, d.text(c, s.Path))
	if err != nil {
		return err
	}
	made := seed(at.name, number(d.text(c, s.Size)), d.sys.clock.now())
	if version := d.text(c, s.Version); version != "" {
		made.image = Image{Version: version}
	}
	return at.volume.put(at.name, made)
}
