package connect

import (
	"context"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// execWithin bounds a command over an exec channel where the exchange does not: silence
// is not seen there.
const execWithin = 5 * time.Minute

// mayExec tells whether the exchange needs no terminal. Only reading does: what changes
// something may ask.
func (c *console) mayExec(e remote.Exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return e.Dialect.Exec && !c.noExec && e.Effect == remote.Reads && e.Send != "" && !e.Enable && !e.MayDrop && len(e.Questions) == 0
}

// exec runs the line as it is over a channel of its own. Not handled: the device refuses
// such channels, and nothing was sent.
func (c *console) exec(ctx context.Context, d *terminal.Dialect, e remote.Exchange) (r remote.Result, handled bool, err error) {
	conn, err := c.lease.conn(ctx)
	if err != nil {
		return remote.Result{}, true, err
	}
	within := e.Within
	if within <= 0 {
		within = execWithin
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, errTimeout)
	defer cancel()
	ran, err := conn.run(ctx, c.lease.fleet, order{line: e.Send, maxOut: limitOf(e)})
	if fault.CodeOf(err) == fault.HostFailed {
		c.mu.Lock()
		c.noExec = true
		c.mu.Unlock()
		return remote.Result{}, false, nil
	}
	// Many devices end the channel without an exit status. Where it was the device that
	// ended it, that is the end of the output.
	if err != nil && (fault.CodeOf(err) != fault.Lost || ctx.Err() != nil || conn.closing()) {
		return ran, true, err
	}
	r, err = d.Judge(e, append(ran.Out, ran.Err...), ran.Truncated)
	if err != nil {
		return remote.Result{}, true, mistaken(err)
	}
	return r, true, nil
}
