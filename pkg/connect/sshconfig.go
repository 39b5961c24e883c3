package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kevinburke/ssh_config"

	"github.com/patchring/patchring/pkg/fault"
)

// settings is what ssh_config says of one host, as far as patchring understands it.
type settings struct {
	hostName       string
	port           string
	user           string
	alias          string // HostKeyAlias
	identities     []string
	identitiesOnly bool
	jump           []string
	proxyCommand   string
	refusal        error // something about where to connect that can't be honoured
}

// sshConfig answers for hosts; a nil one knows nothing.
type sshConfig struct {
	path   string
	home   string
	parsed *ssh_config.Config
	doubts []doubt
	warn   func(string)

	mu    sync.Mutex
	cache map[string]settings
}

// loadSSHConfig reads the file; a missing one is no error, since most people have none.
func loadSSHConfig(path, home string, warn func(string)) (*sshConfig, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // the user names their own file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Usagef("check the file's rights, or pass --ssh-config none", "can't read ssh_config: %v", err)
	}
	config, err := parseSSHConfig(path, string(text), includer{home: home, read: os.ReadFile, glob: filepath.Glob})
	if err != nil {
		return nil, err
	}
	config.warn = warn
	for _, d := range config.doubts {
		warn(d.text())
	}
	return config, nil
}

// parseSSHConfig drops what the library would misread, and remembers it as doubts.
func parseSSHConfig(path, text string, in includer) (*sshConfig, error) {
	lines, err := in.expand(path, text, 0)
	if err != nil {
		return nil, badSSHConfig(path, err)
	}
	plain, doubts := understood(lines)
	parsed, err := ssh_config.DecodeBytes([]byte(plain))
	if err != nil {
		return nil, badSSHConfig(path, err)
	}
	return &sshConfig{path: path, home: in.home, parsed: parsed, doubts: doubts, warn: func(string) {}, cache: map[string]settings{}}, nil
}

func badSSHConfig(path string, err error) error {
	return fault.Usagef("correct the file (ssh -G somehost reads it too), or pass --ssh-config none",
		"can't read ssh_config %s: %v", path, err)
}

// lookup gives the settings for alias. HostName counts only where the inventory
// gives no address of its own.
func (c *sshConfig) lookup(alias string, rename bool) (settings, error) {
	if c == nil {
		return settings{}, nil
	}
	key := fmt.Sprint(rename, alias)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.cache[key]; ok {
		return known, nil
	}
	found, err := c.read(alias, rename)
	if err == nil {
		c.cache[key] = found
	}
	return found, err
}

func (c *sshConfig) read(alias string, rename bool) (settings, error) {
	var s settings
	var err error
	get := func(key string) string {
		value, getErr := c.parsed.Get(alias, key)
		err = errors.Join(err, getErr)
		return value
	}
	s.user, s.port, s.alias = get("User"), get("Port"), get("HostKeyAlias")
	s.proxyCommand = none(get("ProxyCommand"))
	s.identitiesOnly = strings.EqualFold(get("IdentitiesOnly"), "yes")
	if rename {
		s.hostName = strings.ReplaceAll(get("HostName"), "%h", alias)
	}
	if jump := none(get("ProxyJump")); jump != "" {
		s.jump, s.proxyCommand = strings.Split(jump, ","), ""
	}
	files, allErr := c.parsed.GetAll(alias, "IdentityFile")
	if err = errors.Join(err, allErr); err != nil {
		return settings{}, badSSHConfig(c.path, err)
	}
	s.identities = c.identities(files, alias, s)
	s.refusal = c.refusal(alias, s)
	return s, nil
}

func none(value string) string {
	if strings.EqualFold(value, "none") {
		return ""
	}
	return value
}

// refusal is why it can't be known where or as whom ssh_config would connect.
func (c *sshConfig) refusal(alias string, s settings) error {
	for _, d := range c.doubts {
		if d.decides && d.mayMatch(alias) {
			return &fault.Error{
				Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepConnect, What: d.text(),
				Hint: "it may change where to connect: set address, port, user and jump in the inventory, write Host instead of Match, or pass --ssh-config none",
			}
		}
	}
	for _, value := range append([]string{s.hostName, s.user, s.alias}, s.jump...) {
		if strings.Contains(value, "%") || strings.Contains(value, "${") {
			return &fault.Error{
				Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepConnect,
				What: fmt.Sprintf("ssh_config uses a token that patchring does not expand: %q", value),
				Hint: "write the value itself, or set it in the inventory",
			}
		}
	}
	return nil
}

// identities expands what may stand in an IdentityFile; what it can't expand it skips.
func (c *sshConfig) identities(files []string, alias string, s settings) []string {
	host := alias
	if s.hostName != "" {
		host = s.hostName
	}
	expand := strings.NewReplacer("%%", "%", "%d", c.home, "%h", host, "%r", s.user, "%u", localUser(), "%n", alias)
	var out []string
	for _, file := range files {
		if none(file) == "" {
			continue
		}
		full := expand.Replace(inHome(strings.Trim(file, `"`), c.home))
		if strings.Contains(full, "${") || strings.Contains(full, "%") {
			c.warn(fmt.Sprintf("%s: IdentityFile %q: a token that patchring does not expand; skipped", c.path, file))
			continue
		}
		out = append(out, full)
	}
	return out
}

// inHome expands a leading "~/".
func inHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && home != "" {
		return filepath.Join(home, rest)
	}
	return path
}
