package hook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
)

// Silence keeps alerts quiet until then. It looks first, so that a repetition, also after
// a crash, extends the silence that is there; key names it: one mute of one host in one
// rollout. Not before it returns nil are alerts known to be quiet.
func (o *Outside) Silence(ctx context.Context, m playbook.Mute, v health.Vars, key string, until time.Time) error {
	until = until.Truncate(time.Second)
	return o.mute(m, v, key,
		func(a alerts) error { return a.set(ctx, until) },
		func() error {
			return o.tell(ctx, m, notice{Action: o.action(m, key), Key: key, Until: until.UTC().Format(time.RFC3339)}, v)
		})
}

// Unsilence ends every silence of that key, and is content with none.
func (o *Outside) Unsilence(ctx context.Context, m playbook.Mute, v health.Vars, key string) error {
	return o.mute(m, v, key,
		func(a alerts) error { return a.remove(ctx) },
		func() error { return o.tell(ctx, m, notice{Action: "remove", Key: key}, v) })
}

func (o *Outside) mute(m playbook.Mute, v health.Vars, key string, manager func(alerts) error, webhook func() error) error {
	if key == "" || key != remote.Clean(key, len(key)) {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: "a silence without a plain key could not be found again"}
	}
	switch {
	case m.Alertmanager != "" && m.Webhook == "":
		matchers, err := fillMatchers(m.Matchers, v)
		if err != nil {
			return fmt.Errorf("silence %s: %w", remote.Clean(m.Name, titleSize), err)
		}
		return manager(alerts{Outside: o, mute: m, key: key, matchers: matchers})
	case m.Webhook != "" && m.Alertmanager == "":
		return webhook()
	}
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "a silence is Alertmanager's or a webhook's, one of them"}
}

// notice is what a webhook gets. set, extend and remove may each come again, after a
// crash: a receiver goes by the key.
type notice struct {
	Version int    `json:"version"`
	Action  string `json:"action"`
	Key     string `json:"key"`
	Host    string `json:"host"`
	Site    string `json:"site"`
	Address string `json:"address,omitempty"`
	Until   string `json:"until,omitempty"`
}

// action is extend where this process has set the same before.
func (o *Outside) action(m playbook.Mute, key string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.told[m.Webhook+" "+key] {
		return "extend"
	}
	return "set"
}

func (o *Outside) tell(ctx context.Context, m playbook.Mute, n notice, v health.Vars) error {
	n.Version, n.Host, n.Site, n.Address = 1, v.Name, v.Site, v.Address
	r, err := o.send(ctx, call{method: http.MethodPost, base: m.Webhook, token: m.Token, body: n, part: true})
	if err != nil {
		return err
	}
	if r.status < 200 || r.status > 299 {
		return r.refused(m.Webhook, "the webhook did not take it")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.told == nil {
		o.told = map[string]bool{}
	}
	o.told[m.Webhook+" "+n.Key] = n.Action != "remove"
	return nil
}

var (
	template = regexp.MustCompile(`\{\{\s*\.([A-Za-z_]+)\s*\}\}`)
	label    = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// fillMatchers puts the host's values into the matchers. A matcher that could match
// everything would silence everything, so values must not be empty.
func fillMatchers(list []playbook.Matcher, v health.Vars) ([]matcher, error) {
	if len(list) == 0 {
		return nil, errors.New("there are no matchers: it would silence everything")
	}
	var filled []matcher
	for _, m := range list {
		value, err := fill(m.Value, v, m.Regex)
		if err != nil {
			return nil, err
		}
		if !label.MatchString(m.Name) || value == "" {
			return nil, fmt.Errorf("%q: a matcher needs the name of a label, and a value", remote.Clean(m.Name, titleSize))
		}
		filled = append(filled, matcher{Name: m.Name, Value: value, IsRegex: m.Regex, IsEqual: new(true)})
	}
	return filled, matchesSome(filled)
}

// matchesSome: Alertmanager refuses a silence that would match what has none of the labels.
func matchesSome(list []matcher) error {
	for _, m := range list {
		if !m.IsRegex {
			return nil
		}
		pattern, err := regexp.Compile("^(?:" + m.Value + ")$")
		if err != nil {
			return fmt.Errorf("%q is no regular expression", remote.Clean(m.Value, titleSize))
		}
		if !pattern.MatchString("") {
			return nil
		}
	}
	return errors.New("the matchers match everything")
}

// fill puts values in; in a regular expression they mean themselves.
func fill(text string, v health.Vars, pattern bool) (string, error) {
	values := map[string]string{"address": v.Address, "name": v.Name, "site": v.Site}
	var bad error
	filled := template.ReplaceAllStringFunc(text, func(found string) string {
		value := values[template.FindStringSubmatch(found)[1]]
		if value == "" {
			bad = fmt.Errorf("%q: this host has no such value; {{ .name }}, {{ .address }} and {{ .site }} can be filled in", remote.Clean(found, titleSize))
		}
		if pattern {
			return regexp.QuoteMeta(value)
		}
		return value
	})
	if bad == nil && (strings.Contains(template.ReplaceAllString(text, ""), "{{") || strings.ContainsRune(filled, 0)) {
		bad = fmt.Errorf("%q: write {{ .name }}, {{ .address }} or {{ .site }}", remote.Clean(text, titleSize))
	}
	return filled, bad
}
