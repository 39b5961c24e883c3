package probe

import (
	"context"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// SnapshotAgain takes a snapshot as Snapshot does, and once more on a new connection
// where one was lost or not to be had: looking changes nothing. Patience counts from
// the first loss; the last try is at its end. What another try can't change is given
// back at once.
func SnapshotAgain(ctx context.Context, on Sessions, now func() time.Time, patience time.Duration) (fact.Snapshot, error) {
	var until time.Time
	for pause := shortest; ; pause = min(2*pause, longest) {
		snapshot, err := try(ctx, on, now)
		if err == nil || !passing(err) {
			return snapshot, err
		}
		if until.IsZero() {
			until = time.Now().Add(patience)
		}
		rest := min(pause, time.Until(until))
		if rest <= 0 || !sleep(ctx, rest) {
			return snapshot, err
		}
	}
}

func look(ctx context.Context, on Sessions, s remote.Session, now time.Time) (fact.Snapshot, error) {
	if w := watchOf(on); w != nil {
		return watch(ctx, s, w, now)
	}
	return Snapshot(ctx, s, now)
}

func try(ctx context.Context, on Sessions, now func() time.Time) (fact.Snapshot, error) {
	session, release, err := on.Session(ctx)
	if err != nil {
		return fact.Snapshot{}, err //nolint:wrapcheck // already a *fault.Error that says what happened
	}
	defer release()
	snapshot, err := look(ctx, on, session, now())
	if err != nil && passing(err) {
		on.Drop() // whatever is left of it is of no use
	}
	return snapshot, err
}
