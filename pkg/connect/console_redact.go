package connect

import (
	"bytes"
	"slices"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// Of secrets, what is taken out of what a device prints. A short one is a common word
// ("cisco", "admin"): it is taken out only where it was just given, else the device could
// not be read any more.
const (
	leastSecret = 8
	leastPart   = 4 // of a secret that was cut
	mask        = "[secret]"
)

// limitOf is how many bytes of the output are kept.
func limitOf(e remote.Exchange) int64 {
	if e.MaxOut <= 0 {
		return remote.DefaultMaxOut
	}
	return e.MaxOut
}

// redact takes the host's passwords out of a result, as far as they are known in this run.
// Limit is where its output was cut, if it was.
func (c *console) redact(r remote.Result, limit int) remote.Result {
	values := c.lease.secrets()
	if r.Truncated {
		r.Out = maskedEnd(r.Out, min(limit, len(r.Out)), values)
	}
	for _, v := range values {
		r.Out, r.Err = masked(r.Out, v), masked(r.Err, v)
	}
	return r
}

// secrets are the values of the host's own passwords, the longest first.
func (l *Lease) secrets() []string {
	var out []string
	for _, name := range []string{remote.SecretPassword, remote.SecretEnable} {
		w, err := l.wanted(name)
		if err != nil {
			continue
		}
		known, _ := l.fleet.resolved.Load(valueKey(w.ref, w.label))
		if value, ok := known.(secret.Secret); ok && len(value.Reveal()) >= leastSecret {
			out = append(out, value.Reveal())
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// valueKey is where a secret's value comes from, as passwordCredential has it.
func valueKey(ref secret.Ref, label string) string {
	if ref.Scheme() == "prompt" {
		return "prompt " + label
	}
	return ref.String()
}

func masked(out []byte, value string) []byte {
	if value == "" || !bytes.Contains(out, []byte(value)) {
		return out
	}
	return bytes.ReplaceAll(out, []byte(value), []byte(mask))
}

// maskedEnd masks the beginning of a secret right before where the output was cut.
func maskedEnd(out []byte, cut int, values []string) []byte {
	for _, v := range values {
		for n := len(v) - 1; n >= leastPart; n-- {
			if bytes.HasSuffix(out[:cut], []byte(v[:n])) {
				return slices.Concat(out[:cut-n], []byte(mask), out[cut:])
			}
		}
	}
	return out
}
