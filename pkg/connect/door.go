package connect

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// door is one address, as seen through one bastion. It bounds the handshakes that are under
// way, and keeps everyone away for a while when the server hangs up before any login:
// MaxStartups, the penalties of OpenSSH 9.8 and later, fail2ban. All hosts at the address
// share that, for the server counts by where we come from.
type door struct {
	places chan struct{}

	mu     sync.Mutex
	narrow bool          // it was slammed once: from then on one handshake at a time
	drops  int           // in a row
	until  time.Time     // nobody knocks before
	alone  chan struct{} // closed when the only one has left; nil: nobody is
	reason error         // of the last drop
}

// maxDrops in a row, and an address is left alone: who waits for it gets the reason instead.
const maxDrops = 3

// rests are how long an address is left alone after a first drop, which a busy server
// (MaxStartups) deals out at random, and after each further one: longer than the shortest
// penalty of OpenSSH 9.8 and later (15 s). Each is lengthened by up to half at random.
const (
	firstRest = time.Second
	longRest  = 16 * time.Second
	// breath between two handshakes at a narrow door: sshd needs a moment to see that a
	// login is over, and counts it among MaxStartups until then.
	breath = 100 * time.Millisecond
)

// knock is one handshake that was let through.
type knock struct {
	door  *door
	after int // drops when it began
	alone bool
}

// enter waits for a place, and for the end of a rest. After a rest one goes after the other.
func (d *door) enter(ctx context.Context) (*knock, error) {
	select {
	case d.places <- struct{}{}:
	case <-ctx.Done():
		return nil, gaveUp(ctx)
	}
	for {
		k, wait, err := d.step(time.Now())
		if k == nil && err == nil {
			err = wait(ctx)
		}
		if err != nil {
			<-d.places
			return nil, err
		}
		if k != nil {
			return k, nil
		}
	}
}

// step lets a handshake through, says what to wait for, or why it is not worth waiting.
func (d *door) step(now time.Time) (*knock, func(context.Context) error, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rest := d.until.Sub(now)
	switch {
	case !d.narrow:
		return &knock{door: d}, nil, nil
	case rest > 0 && d.drops >= maxDrops:
		return nil, nil, d.reason
	case rest > 0:
		return nil, func(ctx context.Context) error { return sit(ctx, rest) }, nil
	case d.alone == nil:
		d.alone = make(chan struct{})
		return &knock{door: d, after: d.drops, alone: true}, nil, nil
	}
	left := d.alone
	return nil, func(ctx context.Context) error {
		select {
		case <-left:
			return nil
		case <-ctx.Done():
			return gaveUp(ctx)
		}
	}, nil
}

// leave is told how it went: dropped before any login, and why; or not. It tells whether
// that was news: many may be hit by the same blow.
func (k *knock) leave(dropped bool, why error) (news bool) {
	d := k.door
	d.mu.Lock()
	defer d.mu.Unlock()
	<-d.places
	switch {
	case !dropped:
		if k.alone || !d.narrow { // else it began before the blow
			d.drops, d.until = 0, time.Now().Add(breath)
		}
	case k.after == d.drops:
		news = true
		d.narrow, d.drops, d.reason = true, min(d.drops+1, maxDrops), why
		rest := longRest
		if d.drops == 1 {
			rest = firstRest
		}
		d.until = time.Now().Add(rest + rand.N(rest/2)) //nolint:gosec // spreads retries, guards nothing
	}
	if k.alone {
		close(d.alone)
		d.alone = nil
	}
	return news
}

// sit waits for d; the error is that of a caller who gave up.
func sit(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}
