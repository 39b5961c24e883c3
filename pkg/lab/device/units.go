package device

import (
	"encoding"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/patchring/patchring/pkg/document"
)

// Size is a number of bytes, written 4096 or 4e9.
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || n < 0 || n > math.MaxInt64/2 || n != math.Trunc(n) {
		return fmt.Errorf("want a number of bytes such as 4096 or 4e9, not %q", text)
	}
	*s = Size(n)
	return nil
}

// Duration is written 90s, 6m, 12w, 1h30m, or as Go writes shorter ones: 300ms.
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(parsed)
	return nil
}

func parseDuration(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	d, err := document.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("want a duration such as 90s, 6m or 3d, not %q", text)
	}
	return d, nil
}

var (
	_ encoding.TextUnmarshaler = (*Size)(nil)
	_ encoding.TextUnmarshaler = (*Duration)(nil)
)
