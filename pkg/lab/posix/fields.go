package posix

import (
	"context"
	"io"
	"strconv"
	"strings"
)

func cut(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "d:f:c:s")
	if !ok || o.Has("f") == o.Has("c") {
		return Usage
	}
	delimiter := "\t"
	if o.Has("d") {
		delimiter = o.Value("d")
	}
	return p.each("cut", o.Args, func(_ string, r io.Reader) error {
		return lines(r, func(line string) bool {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case o.Has("c"):
				p.Printf("%s\n", strings.Join(pick(strings.Split(line, ""), o.Value("c")), ""))
			case strings.Contains(line, delimiter):
				p.Printf("%s\n", strings.Join(pick(strings.Split(line, delimiter), o.Value("f")), delimiter))
			case !o.Has("s"):
				p.Printf("%s\n", line)
			}
			return true
		})
	})
}

// pick takes the fields that a list like "1,3-5,7-" names.
func pick(fields []string, list string) []string {
	var out []string
	for i, field := range fields {
		for part := range strings.SplitSeq(list, ",") {
			from, to, isRange := strings.Cut(part, "-")
			low, high := number(from, 1), number(to, len(fields))
			if !isRange {
				high = low
			}
			if i+1 >= low && i+1 <= high {
				out = append(out, field)
				break
			}
		}
	}
	return out
}

func number(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

func tr(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "dsc")
	if !ok || len(o.Args) == 0 {
		return Usage
	}
	from := charset(o.Args[0])
	in, err := io.ReadAll(p.Stdin())
	if err != nil {
		return p.Fail("tr", err)
	}
	to := ""
	if len(o.Args) > 1 {
		to = charset(o.Args[1])
	}
	if to == "" && !o.Has("d", "s") {
		return Usage
	}
	if _, err := p.Out.Write(translate(in, from, to, o)); err != nil {
		return 1
	}
	return 0
}

func translate(in []byte, from, to string, o Options) []byte {
	var out []byte
	for _, c := range in {
		at := strings.IndexByte(from, c)
		hit := at >= 0 != o.Has("c")
		if o.Has("d") && hit {
			continue
		}
		if hit && to != "" {
			c = to[min(max(at, 0), len(to)-1)]
		}
		if o.Has("s") && hit && len(out) > 0 && out[len(out)-1] == c {
			continue
		}
		out = append(out, c)
	}
	return out
}

func charset(set string) string {
	for class, members := range map[string]string{
		"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9", "[:alpha:]": "A-Za-z", "[:alnum:]": "A-Za-z0-9",
		"[:space:]": " \t\n\r\v\f", "[:blank:]": " \t",
	} {
		set = strings.ReplaceAll(set, class, members)
	}
	set = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\000`, "\x00", `\0`, "\x00", `\\`, `\`).Replace(set)
	var out strings.Builder
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' && set[i] <= set[i+2] {
			for c := set[i]; c < set[i+2]; c++ {
				out.WriteByte(c)
			}
			i += 2 // the range's end is written below
		}
		out.WriteByte(set[i])
	}
	return out.String()
}
