package document

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/patchring/patchring/pkg/secret"
)

// secretKey tells keys whose text is hidden from every message unless it is a
// reference. It is wide on purpose: it must catch what people mistype too.
func secretKey(key string) bool {
	lower := strings.ToLower(key)
	for _, word := range []string{"pass", "pwd", "pswd", "secret", "token", "enable", "private"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return near(key, "password") || near(key, "passphrase")
}

// secretHolder tells keys of mappings that hold nothing but secrets.
func secretHolder(key string) bool { return near(key, "credentials") || near(key, "creds") }

// secrecy is what the keys above a value say of it.
type secrecy int

const (
	open   secrecy = iota
	named          // a text is secret; a mapping is not: a host may be named compass-01
	holder         // the keys are open, their values are secret, but for the path of a key
	closed         // everything is secret, keys too
)

// below is the secrecy of what stands behind a key.
func (s secrecy) below(key string) secrecy {
	switch {
	case s == closed, s == holder && key != "key":
		return closed
	case s == holder:
		return open
	case secretHolder(key):
		return holder
	case secretKey(key):
		return named
	}
	return open
}

// secretLine finds such a key in a line whose structure could not be read.
var secretLine = regexp.MustCompile(`(?i)["']?[\w-]*(pass|pwd|pswd|secret|token|cred|enable|become|private)[\w-]*["']?\s*:\s*`)

// secretStart gives the column from 1 at which a line must be hidden, or 0.
func secretStart(line string) int {
	at := secretLine.FindStringIndex(line)
	if at == nil {
		return 0
	}
	return len([]rune(line[:at[1]])) + 1
}

// hideSecrets marks every literal that stands where a secret belongs, once, before
// anything is reported: no message about the file can show it then. It returns the
// nodes whose values must not be quoted.
func hideSecrets(f *File, root *yaml.Node) map[*yaml.Node]bool {
	hidden := map[*yaml.Node]bool{}
	markSecrets(f, root, open, hidden)
	return hidden
}

// markSecrets walks the file's own tree (aliases are not followed: their target is
// walked where it stands).
func markSecrets(f *File, n *yaml.Node, how secrecy, hidden map[*yaml.Node]bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if how == closed {
				markSecrets(f, n.Content[i], how, hidden)
			}
			markSecrets(f, n.Content[i+1], how.below(n.Content[i].Value), hidden)
		}
	case yaml.SequenceNode, yaml.DocumentNode:
		for _, item := range n.Content {
			markSecrets(f, item, how, hidden)
		}
	case yaml.ScalarNode:
		if isSecret(n, how != open) {
			hidden[n] = true
			f.source.hideNode(n)
		}
	case yaml.AliasNode:
		if how != open && n.Alias != nil && n.Alias.Kind == yaml.ScalarNode && isSecret(n.Alias, true) {
			hidden[n.Alias] = true
			f.source.hideNode(n.Alias)
		}
	}
}

// login finds a password in a web address.
var login = regexp.MustCompile(`://[^/@\s]+:[^/@\s]+@`)

// isSecret: a text in a secret's place that is no reference; a private key or a web
// address with a password anywhere.
func isSecret(n *yaml.Node, inside bool) bool {
	if strings.Contains(n.Value, "-----BEGIN") || strings.Contains(n.Value, "://") && login.MatchString(n.Value) {
		return true
	}
	if !inside || n.Value == "" || n.Tag == "!!null" || n.Tag == "!!bool" {
		return false
	}
	_, err := secret.ParseRef(n.Value)
	return err != nil
}

// hideNode hides a scalar in the source: exactly, where it stands plain on one
// line, else from its start to the line's end, and the lines that it goes on for.
func (s *source) hideNode(n *yaml.Node) {
	runes := []rune(n.Value)
	line := []rune(s.line(n.Line))
	end := n.Column - 1 + len(runes)
	if n.Style == 0 && end <= len(line) && string(line[n.Column-1:end]) == n.Value {
		s.hide(n.Line, n.Column, end)
		return
	}
	if end := s.closingQuote(n); end > 0 {
		s.hide(n.Line, n.Column, end)
		return
	}
	s.hide(n.Line, n.Column, 0)
	for i := n.Line + 1; i <= len(s.lines); i++ {
		if text := s.line(i); strings.TrimSpace(text) != "" && indent(text) <= indent(s.line(n.Line)) {
			return
		}
		s.hide(i, 1, 0)
	}
}

// closingQuote gives the column of the quote that ends a quoted text on the line where
// it begins, or 0.
func (s *source) closingQuote(n *yaml.Node) int {
	line := []rune(s.line(n.Line))
	if n.Column > len(line) || n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
		return 0
	}
	rest := line[n.Column-1:]
	for i := 1; i < len(rest); i++ {
		doubled := i+1 < len(rest) && rest[i+1] == rest[0]
		switch {
		case rest[i] == '\\' && rest[0] == '"', rest[i] == '\'' && rest[0] == '\'' && doubled:
			i++
		case rest[i] == rest[0]:
			return n.Column + i
		}
	}
	return 0
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
