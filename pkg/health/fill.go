package health

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Vars are what {{ .address }}, {{ .name }} and {{ .site }} stand for in a check.
type Vars struct{ Address, Name, Site string }

var (
	template = regexp.MustCompile(`\{\{\s*\.([A-Za-z_]+)\s*\}\}`)
	// No value may mean anything to a URL, an option parser or a shell.
	plainValue = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._:%-]*$`)
	unitForm   = regexp.MustCompile(`^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]*$`)
)

// Fill puts the host's values into a check's texts, and refuses what could not be
// asked as meant.
func (c Check) Fill(v Vars) (Check, error) {
	var err error
	switch {
	case c.TCP != nil:
		tcp := *c.TCP
		tcp.Address, err = v.fill(tcp.Address, inURL)
		c.TCP = &tcp
	case c.HTTP != nil:
		http := *c.HTTP
		http.URL, err = v.fill(http.URL, inURL)
		c.HTTP = &http
	case c.Command != nil:
		command := *c.Command
		command.Argv = slices.Clone(command.Argv)
		for i := range command.Argv {
			if command.Argv[i], err = v.fill(command.Argv[i], inWord); err != nil {
				break
			}
		}
		c.Command = &command
	}
	if err == nil {
		err = c.valid()
	}
	return c, err
}

type place bool

const (
	inWord place = false
	inURL  place = true // an IPv6 address needs brackets there
)

func (v Vars) fill(text string, at place) (string, error) {
	values := map[string]string{"address": v.Address, "name": v.Name, "site": v.Site}
	var bad error
	filled := template.ReplaceAllStringFunc(text, func(found string) string {
		key := template.FindStringSubmatch(found)[1]
		value, known := values[key]
		switch {
		case !known:
			bad = fmt.Errorf("%q: only {{ .address }}, {{ .name }} and {{ .site }} can be filled in", found)
		case !plainValue.MatchString(value):
			bad = fmt.Errorf("%q: this host's %s, %q, can't be filled in", found, key, value)
		case at == inURL && strings.Contains(value, ":"):
			return "[" + value + "]"
		}
		return value
	})
	if bad == nil && (strings.Contains(filled, "{{") || strings.Contains(filled, "}}")) {
		bad = fmt.Errorf("%q: write {{ .address }}, {{ .name }} or {{ .site }}", text)
	}
	return filled, bad
}

func (c Check) valid() error {
	switch {
	case c.Service != "" && !unitForm.MatchString(c.Service):
		return fmt.Errorf("%q is not the name of a unit", c.Service)
	case c.TCP != nil:
		_, _, err := c.TCP.HostPort()
		return err
	case c.HTTP != nil && !strings.HasPrefix(c.HTTP.URL, "http://") && !strings.HasPrefix(c.HTTP.URL, "https://"):
		return fmt.Errorf("%q is not an http or https URL", c.HTTP.URL)
	case c.Command != nil && (len(c.Command.Argv) == 0 || c.Command.Argv[0] == ""):
		return errors.New("the command is empty")
	case c.Disk != nil:
		if !strings.HasPrefix(c.Disk.Path, "/") {
			return fmt.Errorf("%q is not an absolute path", c.Disk.Path)
		}
		_, err := ParseFree(c.Disk.MinFree)
		return err
	case c.Conffiles != nil:
		return c.Conffiles.valid()
	case c.Load != nil && !(c.Load.Max > 0):
		return fmt.Errorf("a load of at most %g can't be", c.Load.Max)
	}
	return noNUL(c)
}

func noNUL(c Check) error {
	texts := []string{c.Service}
	if c.HTTP != nil {
		texts = append(texts, c.HTTP.URL, c.HTTP.Contains)
	}
	if c.Command != nil {
		texts = append(texts, c.Command.Argv...)
	}
	if strings.ContainsRune(strings.Join(texts, ""), 0) {
		return errors.New("a NUL byte can't be asked for")
	}
	return nil
}

// HostPort splits "host:port"; an empty host is the host itself.
func (t TCP) HostPort() (host string, port int, err error) {
	colon := strings.LastIndexByte(t.Address, ':')
	if colon < 0 {
		return "", 0, fmt.Errorf("%q is not host:port", t.Address)
	}
	host = strings.TrimSuffix(strings.TrimPrefix(t.Address[:colon], "["), "]")
	port, err = strconv.Atoi(t.Address[colon+1:])
	if err != nil || port < 1 || port > 65535 || host != "" && !plainValue.MatchString(host) && host != "::1" {
		return "", 0, fmt.Errorf("%q is not host:port", t.Address)
	}
	return host, port, nil
}

// CheckName is what a person calls the check: its name, or what it asks.
func CheckName(c Check) string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Service != "":
		return "service " + c.Service
	case c.TCP != nil:
		return "tcp " + c.TCP.Address
	case c.HTTP != nil:
		return "http " + c.HTTP.URL
	case c.Command != nil && len(c.Command.Argv) > 0:
		return "command " + c.Command.Argv[0]
	case c.Disk != nil:
		return "disk " + c.Disk.Path
	case c.Load != nil:
		return "load"
	case c.Conffiles != nil:
		return c.Conffiles.name()
	case c.DefaultDiff:
		return "default_diff"
	}
	return "check"
}
