package hook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/playbook"
)

// creator and remark mark a silence as ours. The remark holds the key, so that who finds
// the silence in Alertmanager sees why it is there.
const (
	creator = "patchring"
	remark  = "patchring is at work: "
)

// Alertmanager's peers tell each other of a new silence within a moment; a balancer
// may let us look at another than we told.
const (
	looks     = 5
	lookPause = time.Second
)

// early: Alertmanager begins a silence of the past at once. So its clock may be behind
// ours by that much, and the silence holds all the same.
const early = time.Hour

// quiet is a silence of the API's version 2, as it is posted and listed.
type quiet struct {
	ID        string    `json:"id,omitempty"`
	Matchers  []matcher `json:"matchers"`
	StartsAt  string    `json:"startsAt"` // kept as it came: another one begins another silence
	EndsAt    time.Time `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
	Status    *status   `json:"status,omitempty"` // of listed ones
}

type status struct {
	State string `json:"state"` // expired, active, pending
}

type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual,omitempty"` // absent: true
}

// alerts is what one mute wants of one Alertmanager.
type alerts struct {
	*Outside
	mute     playbook.Mute
	key      string
	matchers []matcher
}

// set is look, do, look: a silence of ours is extended, else made.
func (a alerts) set(ctx context.Context, until time.Time) error {
	mine, err := a.list(ctx)
	if err != nil {
		return err
	}
	if a.holds(mine, until) {
		return nil
	}
	if err := a.post(ctx, a.wanted(mine, until)); err != nil {
		return err
	}
	return a.until(ctx, "the silence is not in force, though it was accepted; compare the clocks", func(mine []quiet) bool { return a.holds(mine, until) })
}

// holds tells whether one of them is in force until then.
func (a alerts) holds(mine []quiet, until time.Time) bool {
	return slices.ContainsFunc(mine, func(q quiet) bool { return a.inForce(q) && !q.EndsAt.Before(until.Add(-time.Second)) })
}

func (a alerts) inForce(q quiet) bool {
	return q.Status.State == "active" && sameMatchers(q.Matchers, a.matchers)
}

// wanted is the silence to post: the one that is in force already, extended, or a new one.
func (a alerts) wanted(mine []quiet, until time.Time) quiet {
	q := quiet{StartsAt: a.Now().Add(-early).UTC().Format(time.RFC3339), EndsAt: until.UTC(), CreatedBy: creator, Comment: remark + a.key, Matchers: a.matchers}
	for _, m := range mine {
		if a.inForce(m) {
			q.ID, q.StartsAt, q.Matchers = m.ID, m.StartsAt, m.Matchers // in its order, or it would be another
		}
	}
	return q
}

// post may find that the silence has gone meanwhile; then it makes another.
func (a alerts) post(ctx context.Context, q quiet) error {
	c := call{method: http.MethodPost, base: a.mute.Alertmanager, path: []string{"api", "v2", "silences"}, token: a.mute.Token, body: q}
	r, err := a.send(ctx, c)
	if err == nil && r.status == http.StatusNotFound && q.ID != "" {
		q.ID, q.StartsAt = "", a.Now().Add(-early).UTC().Format(time.RFC3339)
		c.body = q
		r, err = a.send(ctx, c)
	}
	if err != nil {
		return err
	}
	if r.status != http.StatusOK {
		return r.refused(a.mute.Alertmanager, "Alertmanager did not take the silence")
	}
	return nil
}

// remove ends whatever is in force under the key, whichever matchers it has.
func (a alerts) remove(ctx context.Context) error {
	mine, err := a.list(ctx)
	if err != nil || len(mine) == 0 {
		return err
	}
	for _, q := range mine {
		r, err := a.send(ctx, call{method: http.MethodDelete, base: a.mute.Alertmanager, path: []string{"api", "v2", "silence", q.ID}, token: a.mute.Token})
		if err != nil {
			return err
		}
		if r.status != http.StatusOK && r.status != http.StatusNotFound {
			return r.refused(a.mute.Alertmanager, "Alertmanager did not end the silence")
		}
	}
	return a.until(ctx, "the silence is still in force, though its end was accepted", func(mine []quiet) bool { return len(mine) == 0 })
}

// until looks until what was done is seen.
func (a alerts) until(ctx context.Context, otherwise string, seen func(mine []quiet) bool) error {
	for range looks {
		mine, err := a.list(ctx)
		if err != nil {
			return err
		}
		if seen(mine) {
			return nil
		}
		timer := time.NewTimer(lookPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return &fault.Error{Kind: fault.Retry, Code: fault.HostFailed, Step: "Alertmanager", What: otherwise}
}

// list gives the silences of the key that have not expired.
func (a alerts) list(ctx context.Context) ([]quiet, error) {
	r, err := a.send(ctx, call{
		method: http.MethodGet, base: a.mute.Alertmanager, path: []string{"api", "v2", "silences"}, token: a.mute.Token, most: listMost,
	})
	if err != nil {
		return nil, err
	}
	if r.status != http.StatusOK {
		return nil, r.refused(a.mute.Alertmanager, "Alertmanager did not list its silences")
	}
	return readSilences(r.body, a.key)
}

// What a path may be made of. Alertmanager's are UUIDs.
var silenceID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`)

// readSilences picks ours of that key out of the list: those that hold or will.
func readSilences(body []byte, key string) ([]quiet, error) {
	var all []quiet
	if err := json.Unmarshal(body, &all); err != nil || all == nil {
		return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, Step: "Alertmanager", What: "the list of silences can't be read", Hint: "alertmanager: wants the address of Alertmanager itself, without /api"}
	}
	var mine []quiet
	for _, q := range all {
		if q.CreatedBy != creator || q.Comment != remark+key {
			continue
		}
		if q.Status == nil || !silenceID.MatchString(q.ID) {
			return nil, errors.New("one of our silences is listed without a state or an id")
		}
		if q.Status.State != "expired" {
			mine = append(mine, q)
		}
	}
	slices.SortFunc(mine, func(a, b quiet) int { return cmp.Or(a.EndsAt.Compare(b.EndsAt), cmp.Compare(a.ID, b.ID)) })
	return mine, nil
}

// sameMatchers in whatever order.
func sameMatchers(a, b []matcher) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(m matcher) bool { return !slices.ContainsFunc(b, m.same) })
}

func (m matcher) same(n matcher) bool {
	return m.Name == n.Name && m.Value == n.Value && m.IsRegex == n.IsRegex && m.equal() == n.equal()
}

func (m matcher) equal() bool { return m.IsEqual == nil || *m.IsEqual }
