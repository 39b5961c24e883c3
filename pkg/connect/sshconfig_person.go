package connect

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// person is who runs patchring, as far as ssh_config's tokens know them.
type person struct {
	name string
	uid  string
	home string // where patchring looks: $HOME
	// account is the home that the account has. ssh looks there, whatever $HOME says.
	account  string
	hostname string
	env      func(string) (string, bool)
}

func whoRuns(home string) person {
	p := person{name: localUser(), home: home, account: home, env: os.LookupEnv}
	if me, err := user.Current(); err == nil {
		p.uid, p.account = me.Uid, me.HomeDir
	}
	p.hostname, _ = os.Hostname() // "": %l stays unknown
	return p
}

// expand replaces %-tokens by the table's, and ${NAME} by env's where there is one;
// false where something is left that neither has.
func expand(text string, tokens map[byte]string, env func(string) (string, bool)) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '%' && i+1 < len(text) && text[i+1] == '%':
			i++
			out.WriteByte('%')
		case text[i] == '%':
			i++
			if i == len(text) || tokens[text[i]] == "" {
				return text, false
			}
			out.WriteString(tokens[text[i]])
		case env != nil && strings.HasPrefix(text[i:], "${"):
			name, _, closed := strings.Cut(text[i+2:], "}")
			value, known := env(name)
			if !closed || !known {
				return text, false
			}
			out.WriteString(value)
			i += len(name) + 2
		default:
			out.WriteByte(text[i])
		}
	}
	return out.String(), true
}

// path expands a file's name: "~", tokens and variables.
func (p person) path(text string, tokens map[byte]string) (string, bool) {
	if strings.HasPrefix(text, "~") && text != "~" && !strings.HasPrefix(text, "~/") {
		return text, false // another user's home
	}
	return expand(inHome(text, p.home), tokens, p.env)
}

// tokens of ssh_config(5) that stand for the same in every version of OpenSSH. Not
// %C and %j: what goes into them has changed.
func (p person) tokens(q query, s settings) map[byte]string {
	alias := s.alias
	if alias == "" {
		alias = q.name
	}
	short, _, _ := strings.Cut(p.hostname, ".")
	return map[byte]string{
		'd': p.home, 'i': p.uid, 'u': p.name, 'l': p.hostname, 'L': short,
		'h': s.hostName, 'k': alias, 'n': q.name, 'p': s.port, 'r': s.user,
	}
}

// inHome expands a leading "~/".
func inHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && home != "" {
		return filepath.Join(home, rest)
	}
	return path
}
