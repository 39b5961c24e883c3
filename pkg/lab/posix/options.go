package posix

import (
	"slices"
	"strconv"
	"strings"
)

// Options are a tool's parsed arguments.
type Options struct {
	values map[string][]string
	Args   []string // the operands
}

// Parse reads args[1:] as getopt_long does, operands anywhere. short is like
// "ab:c": a letter with a colon takes a value; so does a long name with "=". A long
// name may end in "|x" to mean the same as -x. An option that isn't listed is
// reported on p's standard error and ok is false: the tool then exits with Usage.
func (p *Proc) Parse(args []string, short string, long ...string) (o Options, ok bool) {
	parser := optionParser{short: short, long: long, out: Options{values: map[string][]string{}}}
	bad := parser.parse(args[1:])
	if bad != "" {
		p.Lacks("%s: option %s is not simulated", args[0], bad)
		return Options{}, false
	}
	return parser.out, true
}

// ParseFirst is Parse for tools that run another command: options end at the first operand.
func (p *Proc) ParseFirst(args []string, short string, long ...string) (o Options, ok bool) {
	parser := optionParser{short: short, long: long, stop: true, out: Options{values: map[string][]string{}}}
	bad := parser.parse(args[1:])
	if bad != "" {
		p.Lacks("%s: option %s is not simulated", args[0], bad)
		return Options{}, false
	}
	return parser.out, true
}

// Has tells whether an option was given.
func (o Options) Has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return len(o.values[n]) > 0 })
}

// Value is the last value of an option, or "".
func (o Options) Value(name string) string {
	if all := o.values[name]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// All are the values of an option that may be repeated.
func (o Options) All(name string) []string { return o.values[name] }

// Int is the last value of an option as a number, or otherwise.
func (o Options) Int(name string, otherwise int) int {
	n, err := strconv.Atoi(o.Value(name))
	if err != nil {
		return otherwise
	}
	return n
}

type optionParser struct {
	short string
	long  []string
	stop  bool
	out   Options
}

func (x *optionParser) add(name, value string) {
	x.out.values[name] = append(x.out.values[name], value)
}

// parse returns the first option that is not known.
func (x *optionParser) parse(args []string) string {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			x.out.Args = append(x.out.Args, args...)
			return ""
		case strings.HasPrefix(arg, "--"):
			used, ok := x.parseLong(arg[2:], args)
			if !ok {
				return arg
			}
			args = args[used:]
		case len(arg) > 1 && arg[0] == '-':
			used, ok := x.parseShort(arg[1:], args)
			if !ok {
				return arg
			}
			args = args[used:]
		default:
			x.out.Args = append(x.out.Args, arg)
			if x.stop {
				x.out.Args = append(x.out.Args, args...)
				return ""
			}
		}
	}
	return ""
}

func (x *optionParser) parseLong(arg string, rest []string) (used int, ok bool) {
	name, value, given := strings.Cut(arg, "=")
	for _, known := range x.long {
		key, alias, _ := strings.Cut(known, "|")
		key, takes := strings.CutSuffix(key, "=")
		if key != name || given && !takes {
			continue
		}
		if alias != "" {
			key = alias
		}
		switch {
		case !takes, given:
			x.add(key, value)
			return 0, true
		case len(rest) > 0:
			x.add(key, rest[0])
			return 1, true
		}
	}
	return 0, false
}

func (x *optionParser) parseShort(letters string, rest []string) (used int, ok bool) {
	for i := range len(letters) {
		at := strings.IndexByte(x.short, letters[i])
		if at < 0 || letters[i] == ':' {
			return 0, false
		}
		name := letters[i : i+1]
		switch {
		case at+1 >= len(x.short) || x.short[at+1] != ':':
			x.add(name, "")
			continue
		case i+1 < len(letters):
			x.add(name, letters[i+1:])
			return 0, true
		case len(rest) > 0:
			x.add(name, rest[0])
			return 1, true
		}
		return 0, false
	}
	return 0, true
}
