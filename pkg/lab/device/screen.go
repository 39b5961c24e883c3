package device

import (
	"context"
	"strings"
)

// lines gives text its ends of lines.
func (s *session) lines(text string) string {
	end := s.d.kind.file.Console.NewLine
	if end == "" {
		end = "\r\n"
	}
	return strings.ReplaceAll(text, "\n", end)
}

// print is output, stopped by the pager where it is longer than the screen.
func (s *session) print(ctx context.Context, text string) {
	rows := s.rows()
	if rows <= 0 {
		s.tty.write(s.lines(text))
		return
	}
	for line := range strings.Lines(text) {
		if s.rest {
			return
		}
		if s.shown >= rows-1 {
			s.page(ctx, rows)
			if s.rest {
				return
			}
		}
		s.tty.write(s.lines(line))
		if strings.HasSuffix(line, "\n") {
			s.shown++
		}
	}
}

// rows are those of the screen, 0 where nothing stops.
func (s *session) rows() int {
	pager := s.d.kind.file.Console.Pager
	if pager == nil || !s.shell || s.unpaged {
		return 0
	}
	name := pager.Value
	if name == "" {
		name = "rows"
	}
	s.d.sys.mu.Lock()
	value, given := s.values[name]
	s.d.sys.mu.Unlock()
	switch {
	case given:
		return int(number(value))
	case pager.Pty && s.ptyRows > 0:
		return s.ptyRows
	case pager.Rows > 0:
		return pager.Rows
	}
	return 24
}

// page shows the pager's prompt, and waits for a key.
func (s *session) page(ctx context.Context, rows int) {
	pager := s.d.kind.file.Console.Pager
	prompt := s.call(ctx).text(pager.Prompt)
	wipe := pager.Wipe
	if wipe == "" {
		n := len(prompt)
		wipe = strings.Repeat("\b", n) + strings.Repeat(" ", n) + strings.Repeat("\b", n)
	}
	s.tty.write(prompt)
	for {
		b, ok := s.tty.key(ctx)
		switch {
		case !ok || b == 'q' || b == 'Q' || strings.IndexByte(s.cancelKeys, b) >= 0:
			s.rest = true
		case b == ' ':
			s.shown = 0
		case b == '\r' || b == '\n':
			s.tty.skip('\n')
			s.shown = rows - 2
		default:
			continue
		}
		s.tty.write(wipe)
		return
	}
}

// broadcast is an asynchronous line to every shell.
func (d *Device) broadcast(text string) {
	d.sys.mu.Lock()
	form := d.kind.file.Console.Log
	line := text
	if form != "" {
		line = d.text(&call{d: d, line: text}, form)
	}
	var to []*session
	for s := range d.sessions {
		if s.shell {
			to = append(to, s)
		}
	}
	d.sys.mu.Unlock()
	for _, s := range to {
		s.tty.write(s.lines(line))
	}
}
