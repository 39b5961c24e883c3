package device

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

var errSCP = errors.New("scp: protocol error")

// scp is the receiving side of the old protocol: scp -t PATH. IOS takes no other flag
// but -v.
func (c *connection) scp(ctx context.Context, s *session, args []string) {
	if !c.d.enter(s) {
		_ = c.net.Close()
		return
	}
	defer c.d.leave(s)
	target, err := scpTarget(args, c.d.kind.file.SSH.SCP == "ios")
	if err == nil {
		err = c.sink(ctx, s, target)
	}
	if err != nil {
		_, _ = fmt.Fprintf(s.channel, "\x01%v\n", err)
		s.exit(1)
		return
	}
	s.exit(0)
}

// scpTarget reads the words after scp.
func scpTarget(args []string, strict bool) (string, error) {
	sink, target := false, ""
	for _, arg := range args {
		switch {
		case arg == "-t":
			sink = true
		case arg == "-v", arg == "--":
		case strings.HasPrefix(arg, "-") && strict:
			return "", fmt.Errorf("scp: %s: illegal option", path.Clean(arg))
		case strings.HasPrefix(arg, "-"):
			sink = sink || strings.Contains(arg, "t")
		default:
			target = strings.Trim(arg, `'"`)
		}
	}
	if !sink || target == "" {
		return "", errors.New("scp: only receiving is supported")
	}
	return target, nil
}

// sink takes the files that the other side sends.
func (c *connection) sink(ctx context.Context, s *session, target string) error {
	from := bufio.NewReader(s.channel)
	ack := func() { _, _ = s.channel.Write([]byte{0}) }
	ack()
	for {
		line, err := from.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || len(line) > 4096 {
			return errSCP
		}
		if line[0] == 'T' || line[0] == 'E' {
			ack()
			continue
		}
		var mode uint32
		var size int64
		var name string
		if n, err := fmt.Sscanf(line, "C%o %d %s", &mode, &size, &name); n != 3 || err != nil || size < 0 {
			return errSCP
		}
		if err := c.room(target, size); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		ack()
		to := target
		if strings.HasSuffix(to, "/") || strings.HasSuffix(to, ":") {
			to += path.Base(name)
		}
		err = c.d.receive(ctx, nil, to, from, size)
		if err != nil {
			return err
		}
		if _, err := from.ReadByte(); err != nil {
			return errSCP
		}
		ack()
	}
}

// room tells beforehand what a device does: that the place exists.
func (c *connection) room(target string, _ int64) error {
	c.d.sys.mu.Lock()
	defer c.d.sys.mu.Unlock()
	_, err := c.d.resolve(c.d.me(), target)
	return err
}
