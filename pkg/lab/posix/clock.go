package posix

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// duration parses what sleep and timeout take: "2", "0.5", "3m".
func duration(text string) (time.Duration, error) {
	unit := time.Second
	switch {
	case strings.HasSuffix(text, "m"):
		unit = time.Minute
	case strings.HasSuffix(text, "h"):
		unit = time.Hour
	}
	n, err := strconv.ParseFloat(strings.TrimRight(text, "smh"), 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("invalid time interval '%s'", text)
	}
	return time.Duration(n * float64(unit)), nil
}

// Pause waits, or gives false when the host went down meanwhile.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func sleep(ctx context.Context, p *Proc, args []string) int {
	if len(args) < 2 {
		p.Errorf("sleep", "missing operand")
		return 1
	}
	var total time.Duration
	for _, arg := range args[1:] {
		d, err := duration(arg)
		if err != nil {
			return p.Fail("sleep", err)
		}
		total += d
	}
	if !Pause(ctx, total) {
		return 137
	}
	return 0
}

func timeout(ctx context.Context, p *Proc, args []string) int {
	o, ok := p.ParseFirst(args, "k:s:", "kill-after=|k", "signal=|s", "preserve-status", "foreground")
	if !ok || len(o.Args) < 2 {
		return Usage
	}
	limit, err := duration(o.Args[0])
	if err != nil {
		return p.Fail("timeout", err)
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	code := p.Exec(limited, o.Args[1:])
	if limited.Err() != nil && ctx.Err() == nil {
		return 124
	}
	return code
}

func date(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "ur:", "utc|u", "reference=|r")
	if !ok || len(o.Args) > 1 {
		return Usage
	}
	now := time.Now().UTC() // a simulated host's clock is the machine's, in UTC
	if file := o.Value("r"); file != "" {
		info, err := p.FS.Stat(p.UID, p.Abs(file), true)
		if err != nil {
			return p.Fail("date", renamed(err, file))
		}
		now = info.ModTime().UTC()
	}
	format := "+%a %b %e %H:%M:%S %Z %Y"
	if len(o.Args) == 1 {
		format = o.Args[0]
	}
	text, bad := strftime(now, strings.TrimPrefix(format, "+"))
	if bad != "" {
		p.Lacks("date: %s is not simulated", bad)
		return Usage
	}
	p.Printf("%s\n", text)
	return 0
}

func strftime(t time.Time, format string) (text, bad string) {
	layouts := map[byte]string{
		'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'F': "2006-01-02", 'T': "15:04:05",
		'a': "Mon", 'b': "Jan", 'e': "_2", 'Z': "MST", 'z': "-0700", 'N': "000000000", 'j': "002",
	}
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		switch layout, ok := layouts[format[i]]; {
		case format[i] == 's':
			fmt.Fprintf(&out, "%d", t.Unix())
		case format[i] == 'N':
			fmt.Fprintf(&out, "%09d", t.Nanosecond())
		case format[i] == '%':
			out.WriteByte('%')
		case ok:
			out.WriteString(t.Format(layout))
		default:
			return "", "%" + string(format[i])
		}
	}
	return out.String(), ""
}
