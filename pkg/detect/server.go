package detect

import (
	"context"
	"slices"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// exec asks the host as a server. Without the right to become root it looks once more
// without: then the facts come with the error that says so.
func (l *look) exec(ctx context.Context) (answer, error) {
	results, err := run(ctx, l.session.Runner, l.family.Probe(l.Query.Query))
	if fault.CodeOf(err) != fault.Privilege {
		if err != nil {
			return answer{}, err
		}
		return l.server(ctx, results, true)
	}
	results, second := l.unprivileged(ctx)
	if second != nil { // what came first is what the user must hear of
		return answer{}, err
	}
	a, second := l.server(ctx, results, false)
	switch {
	case second != nil && passing(second):
		return answer{}, second
	case !a.known && l.consoles(): // what is no server has no root
		return a, nil
	case !a.known:
		return answer{l.unknown(), true}, err
	case a.facts.Device != nil:
		return a, nil
	}
	return a, err
}

// unprivileged looks without root; package lists are left as they are.
func (l *look) unprivileged(ctx context.Context) ([]remote.Result, error) {
	q := l.Query.Query
	q.Refresh = false
	commands := slices.Clone(l.family.Probe(q))
	for i := range commands {
		commands[i].Become = false
	}
	return run(ctx, l.session.Runner, commands)
}

// server reads the probe's answer. What is no server may have closed the connection after
// it: should that turn out, the next try begins with the console.
func (l *look) server(ctx context.Context, results []remote.Result, root bool) (answer, error) {
	facts, err := l.family.Read(results)
	if err != nil {
		l.console = true
		l.seen = append(l.seen, err.Error())
		return answer{}, nil
	}
	return l.appliance(ctx, facts, results, root)
}

func run(ctx context.Context, r remote.Runner, commands []remote.Command) ([]remote.Result, error) {
	results := make([]remote.Result, 0, len(commands))
	for _, c := range commands {
		res, err := r.Run(ctx, c)
		if err == nil && res.Ending == remote.Lost {
			err = lost()
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // the session's own fault
		}
		results = append(results, res)
	}
	return results, nil
}

func lost() error {
	return &fault.Error{Kind: fault.Retry, Code: fault.Lost, What: "the connection ended during detection"}
}
