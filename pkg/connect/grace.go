package connect

import "context"

type graceKey struct{}

// Grace marks what is done while a host is on its way back from a reload. Devices let
// nobody in until their directory (TACACS, RADIUS) answers: so a credential that is refused
// meanwhile is not counted against it for the rest of the fleet. How often it is tried on
// the one host is for the caller to bound.
func Grace(ctx context.Context) context.Context { return context.WithValue(ctx, graceKey{}, true) }

// lenient tells the breaker nothing of refusals within a grace.
func lenient(ctx context.Context, report func(outcome)) func(outcome) {
	if in, _ := ctx.Value(graceKey{}).(bool); !in {
		return report
	}
	return func(o outcome) {
		if o != accepted {
			o = untried
		}
		report(o)
	}
}
