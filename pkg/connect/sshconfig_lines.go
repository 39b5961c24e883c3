package connect

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// configLine is one line of ssh_config with where it stands, Includes expanded.
type configLine struct {
	where string // file:line
	key   string // lower case; "" for blank lines and comments
	value string
}

// doubt is a part of ssh_config that was not understood and therefore skipped.
type doubt struct {
	where, said string
	hosts       []string // patterns it is limited to; nil: could be any host
	decides     bool     // it could change where or as whom to connect
}

func (d doubt) text() string { return fmt.Sprintf("%s: %s: not understood, skipped", d.where, d.said) }

// mayMatch tells whether the doubtful block could apply to the host.
func (d doubt) mayMatch(alias string) bool {
	if d.hosts == nil {
		return true
	}
	hit := false
	for _, pattern := range d.hosts {
		bare, negated := strings.CutPrefix(pattern, "!")
		if ok, err := path.Match(strings.ReplaceAll(bare, "[", `\[`), alias); err != nil || ok {
			hit = !negated
			if negated {
				return false
			}
		}
	}
	return hit
}

// deciding are the keywords that say where or as whom to connect.
const deciding = " hostname port user proxyjump proxycommand hostkeyalias "

// known to be without effect on what patchring does are not worth a word; these are.
const unsupportedKeys = " bindaddress bindinterface addressfamily certificatefile gssapiauthentication controlpath userknownhostsfile " +
	"globalknownhostsfile identityagent pkcs11provider "

// understood rewrites the lines for the library: Match blocks become Host blocks
// where that is exact, and vanish otherwise.
func understood(lines []configLine) (string, []doubt) {
	var out strings.Builder
	var doubts []doubt
	said := map[string]bool{}
	skipping := false
	for _, l := range lines {
		switch {
		case l.key == "host":
			skipping = false
		case l.key == "match":
			patterns, exact := matchHosts(l.value)
			if skipping = !exact; skipping {
				doubts = append(doubts, doubt{where: l.where, said: "Match " + l.value, hosts: patterns})
				continue
			}
			l.key, l.value = "host", strings.Join(patterns, " ")
		case skipping && strings.Contains(deciding, " "+l.key+" "):
			doubts[len(doubts)-1].decides = true
		case strings.Contains(unsupportedKeys, " "+l.key+" ") && !said[l.key]:
			said[l.key] = true
			doubts = append(doubts, doubt{where: l.where, said: l.key, hosts: []string{}})
		}
		if !skipping && l.key != "" {
			fmt.Fprintf(&out, "%s %s\n", l.key, l.value)
		}
	}
	return out.String(), doubts
}

// matchHosts turns the criteria of a Match into Host patterns. Not exact: some
// criterion can't be judged; the patterns still say which hosts it is limited to.
func matchHosts(criteria string) (patterns []string, exact bool) {
	words := strings.Fields(criteria)
	exact = len(words) > 0
	for i := 0; i < len(words); i++ {
		switch word := strings.ToLower(words[i]); {
		case word == "all" && len(words) == 1:
			return []string{"*"}, true
		case (word == "host" || word == "originalhost") && i+1 < len(words) && patterns == nil:
			i++
			patterns = strings.Split(words[i], ",")
		default:
			exact = false
		}
	}
	return patterns, exact && patterns != nil
}

// includer expands Include lines, as deep as OpenSSH does.
type includer struct {
	home string
	read func(string) ([]byte, error)
	glob func(string) ([]string, error)
}

// maxIncludes is OpenSSH's depth (readconf.c, READCONF_MAX_DEPTH).
const maxIncludes = 16

func (in includer) expand(file, text string, depth int) ([]configLine, error) {
	if depth > maxIncludes {
		return nil, fmt.Errorf("%s: Include is nested too deep", file)
	}
	var out []configLine
	number := 0
	for raw := range strings.Lines(text) {
		number++
		l := parseConfigLine(raw)
		l.where = fmt.Sprintf("%s:%d", file, number)
		if l.key != "include" {
			out = append(out, l)
			continue
		}
		more, err := in.include(l, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, nested(lastBlock(out), more, l)...)
	}
	return out, nil
}

// nested places included lines into the block around them, which goes on after them.
// Inside a block for some hosts, OpenSSH limits included blocks to those hosts as
// well; a Host line can't say that, so it becomes a Match that nobody understands.
func nested(around configLine, more []configLine, l configLine) []configLine {
	if around.value != "*" && lastBlock(more).where != "" {
		hosts, _ := matchHosts(around.value)
		if around.key == "host" {
			hosts = strings.Fields(around.value)
		}
		said := fmt.Sprintf("originalhost %s with Include %s", strings.Join(hosts, ","), l.value)
		more = []configLine{{where: l.where, key: "match", value: said}, {where: l.where, key: "hostname"}}
	}
	return append(more, around)
}

// include reads the files of one Include.
func (in includer) include(l configLine, depth int) ([]configLine, error) {
	var out []configLine
	for pattern := range strings.FieldsSeq(l.value) {
		full := inHome(strings.Trim(pattern, `"`), in.home)
		if !filepath.IsAbs(full) {
			full = filepath.Join(in.home, ".ssh", full)
		}
		names, err := in.glob(full)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.where, err)
		}
		for _, name := range names {
			text, err := in.read(name)
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.where, err)
			}
			more, err := in.expand(name, string(text), depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}

// lastBlock is the block that a next line would belong to: at first, all hosts.
func lastBlock(lines []configLine) configLine {
	for _, line := range slices.Backward(lines) {
		if line.key == "host" || line.key == "match" {
			return line
		}
	}
	return configLine{key: "host", value: "*"}
}

// parseConfigLine splits "Key value", "Key=value" and comments.
func parseConfigLine(raw string) configLine {
	text := strings.TrimSpace(strings.Map(printable, raw))
	if text == "" || text[0] == '#' {
		return configLine{}
	}
	end := strings.IndexAny(text, " \t=")
	if end < 0 {
		return configLine{key: strings.ToLower(text)}
	}
	value := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text[end:]), "="))
	if i := strings.Index(value, " #"); i >= 0 && !strings.Contains(value[:i], `"`) {
		value = strings.TrimSpace(value[:i])
	}
	return configLine{key: strings.ToLower(text[:end]), value: value}
}

func printable(r rune) rune {
	if r == '\t' {
		return ' '
	}
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}
