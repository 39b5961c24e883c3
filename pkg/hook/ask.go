package hook

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
)

const inquiryWithin = 30 * time.Second // where an inquiry does not say

// Ask puts one question, for at most q.Within: pass, fail with what was seen, or unknown
// with why nobody could tell. env is what a command gets, see Values.Env.
func (o *Outside) Ask(ctx context.Context, q playbook.Inquiry, env []string) (health.Verdict, string) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(max(q.Within, 0), inquiryWithin))
	defer cancel()
	switch {
	case q.Command != nil:
		return o.askCommand(ctx, *q.Command, env)
	case q.HTTP != nil:
		return o.askHTTP(ctx, *q.HTTP)
	case q.Prometheus != nil:
		return o.askPrometheus(ctx, *q.Prometheus)
	}
	return health.Unknown, "nothing was asked"
}

// inquiryOut bounds what is kept of a command's output.
const inquiryOut = 64 << 10

func (o *Outside) askCommand(ctx context.Context, c health.Command, env []string) (health.Verdict, string) {
	if o.Local == nil {
		return health.Unknown, "no command can be run here"
	}
	if err := checkWords(c.Argv, env); err != nil {
		return health.Unknown, said(err)
	}
	r, err := o.Local.run(ctx, remote.Command{Argv: c.Argv, Become: c.Become, Effect: remote.Reads, MaxOut: inquiryOut}, env)
	if err != nil {
		return health.Unknown, said(err)
	}
	if r.Ending != remote.Exited {
		return health.Unknown, "the command was killed by somebody"
	}
	lines := remote.CleanLines(string(r.Out)+"\n"+string(r.Err), toldLines, saidBytes)
	seen := strings.Join(append([]string{fmt.Sprintf("exit status %d", r.Code)}, lines...), "; ")
	if r.Code == 0 {
		return health.Pass, seen
	}
	return health.Fail, seen
}

func (o *Outside) askHTTP(ctx context.Context, c health.HTTP) (health.Verdict, string) {
	r, err := o.send(ctx, call{method: http.MethodGet, base: c.URL, part: true})
	if err != nil {
		return health.Unknown, said(err)
	}
	c.Status = cmp.Or(c.Status, http.StatusOK)
	contains := c.Contains == "" || strings.Contains(string(r.body), c.Contains)
	if r.status == c.Status && !contains && !r.whole {
		return health.Unknown, fmt.Sprintf("the wanted text is not in the first %d MiB of the answer", bodyMost>>20)
	}
	return health.JudgeHTTP(c, r.status, contains)
}

func (o *Outside) askPrometheus(ctx context.Context, p playbook.Prometheus) (health.Verdict, string) {
	r, err := o.send(ctx, call{
		method: http.MethodGet, base: p.URL, path: []string{"api", "v1", "query"},
		query: url.Values{"query": {p.Query}}, token: p.Token,
	})
	if err != nil {
		return health.Unknown, said(err)
	}
	if r.status != http.StatusOK {
		return health.Unknown, said(r.refused(p.URL, "Prometheus did not answer the query"))
	}
	samples, err := readSamples(r.body)
	if err != nil {
		return health.Unknown, said(err)
	}
	return within(samples, p.Min, p.Max)
}

func said(err error) string { return remote.Clean(err.Error(), 2*saidBytes) }
