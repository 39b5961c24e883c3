package posix

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// lines calls do for each line with its newline, if it has one, until do gives false.
func lines(r io.Reader, do func(line string) bool) error {
	buffered := bufio.NewReader(r)
	for {
		line, err := buffered.ReadString('\n')
		if line != "" && !do(line) {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// oldCount turns the old "-5" of head and tail into "-n 5".
func oldCount(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if _, err := strconv.Atoi(strings.TrimPrefix(arg, "-")); err == nil && len(arg) > 1 && arg[0] == '-' && i > 0 &&
			!slices.Contains([]string{"-n", "-c"}, out[i-1]) {
			out[i] = "-n" + arg[1:]
		}
	}
	return out
}

func head(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(oldCount(args), "n:c:")
	if !ok {
		return Usage
	}
	return p.each("head", o.Args, func(_ string, r io.Reader) error {
		if o.Has("c") {
			_, err := io.CopyN(p.Out, r, int64(o.Int("c", 0)))
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		left := o.Int("n", 10)
		if left <= 0 {
			return nil
		}
		return lines(r, func(line string) bool {
			p.Printf("%s", line)
			left--
			return left > 0
		})
	})
}

func tail(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(oldCount(args), "n:c:")
	if !ok {
		return Usage
	}
	return p.each("tail", o.Args, func(_ string, r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		_, err = io.WriteString(p.Out, tailOf(string(data), o))
		return err
	})
}

func tailOf(data string, o Options) string {
	if o.Has("c") {
		from, to := lastOf(len(data), o.Value("c"))
		return data[from:to]
	}
	count := o.Value("n")
	if count == "" {
		count = "10"
	}
	all := slices.Collect(strings.Lines(data))
	from, to := lastOf(len(all), count)
	return strings.Join(all[from:to], "")
}

// lastOf is the range that "n" (the last n) or "+n" (from the nth on) means.
func lastOf(length int, count string) (from, to int) {
	n, err := strconv.Atoi(strings.TrimLeft(count, "+-"))
	switch {
	case err != nil:
		return length, length
	case strings.HasPrefix(count, "+"):
		return min(max(n-1, 0), length), length
	}
	return max(length-n, 0), length
}

func wc(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "lcw")
	if !ok {
		return Usage
	}
	return p.each("wc", o.Args, func(name string, r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		counts := []struct {
			flag string
			n    int
		}{{"l", strings.Count(string(data), "\n")}, {"w", len(strings.Fields(string(data)))}, {"c", len(data)}}
		var out []string
		for _, c := range counts {
			if o.Has(c.flag) || !o.Has("l", "w", "c") {
				out = append(out, strconv.Itoa(c.n))
			}
		}
		if name != "-" {
			out = append(out, name)
		}
		p.Printf("%s\n", strings.Join(out, " "))
		return nil
	})
}

func dirname(_ context.Context, p *Proc, args []string) int {
	for _, name := range args[1:] {
		p.Printf("%s\n", path.Dir(name))
	}
	return 0
}

func basename(_ context.Context, p *Proc, args []string) int {
	if len(args) < 2 {
		return 1
	}
	name := path.Base(args[1])
	if len(args) > 2 && name != args[2] {
		name = strings.TrimSuffix(name, args[2])
	}
	p.Printf("%s\n", name)
	return 0
}

func echo(_ context.Context, p *Proc, args []string) int {
	p.Printf("%s\n", strings.Join(args[1:], " "))
	return 0
}

func seq(_ context.Context, p *Proc, args []string) int {
	if len(args) != 2 && len(args) != 3 {
		return Usage
	}
	first, last := 1, number(args[len(args)-1], 0)
	if len(args) == 3 {
		first = number(args[1], 1)
	}
	for n := first; n <= last; n++ {
		fmt.Fprintln(p.Out, n)
	}
	return 0
}

func base64Tool(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "dw:")
	if !ok {
		return Usage
	}
	return p.each("base64", o.Args, func(_ string, r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if o.Has("d") {
			plain, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
			if err != nil {
				return errors.New("invalid input")
			}
			_, err = p.Out.Write(plain)
			return err
		}
		p.Printf("%s\n", base64.StdEncoding.EncodeToString(data))
		return nil
	})
}
