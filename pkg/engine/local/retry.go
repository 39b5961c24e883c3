package local

import (
	"slices"
	"strconv"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// again tells that an earlier try of this rollout has touched the host. It means
// something only before this try has touched it itself: in begin and before.
func (w *work) again() bool {
	return w.task.Try > 1 && w.p.known(w.task.Host).Touched
}

// tryOf tells the work of later tries apart, so that their jobs are jobs of their own.
func tryOf(t rollout.Task) string {
	if t.Try <= 1 {
		return ""
	}
	return "-t" + strconv.Itoa(t.Try)
}

// byEarlierTry is the Detail of an update that an earlier try has installed. It stands in
// the journal, and verify goes by it: what it names must be there, and is proven by a
// host that is healthy now against its state before that try.
const byEarlierTry = "installed by an earlier try"

// creditEarlier marks what is there at exactly the planned version.
func creditEarlier(work patch.Work, planned plan.Host, facts fact.Facts) patch.Work {
	work.Left = slices.Clone(work.Left)
	for i, left := range work.Left {
		if left.Reason == patch.ReasonInstalled && slices.Contains(planned.Install, left.Update) && missing(left.Update, facts) == "" {
			work.Left[i].Detail = byEarlierTry
		}
	}
	return work
}

// earlier are the updates so marked.
func earlier(work patch.Work) []patch.Update {
	var all []patch.Update
	for _, left := range work.Left {
		if left.Reason == patch.ReasonInstalled && left.Detail == byEarlierTry {
			all = append(all, left.Update)
		}
	}
	return all
}
