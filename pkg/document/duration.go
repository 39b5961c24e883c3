package document

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

// durationPattern is what ParseDuration reads, for the schema too.
const durationPattern = `^([0-9]{1,9}[smhd])+$`

var (
	durationShape = regexp.MustCompile(durationPattern)
	durationPart  = regexp.MustCompile(`([0-9]+)([smhd])`)
)

// maxDuration bounds what a file can ask for.
const maxDuration = 10 * 366 * 24 * time.Hour

// ParseDuration reads whole numbers with units, such as 90s, 5m, 48h, 3d or 1h30m.
// A day is 24 hours. More than ten years is refused.
func ParseDuration(text string) (time.Duration, error) {
	if len(text) > 40 || !durationShape.MatchString(text) {
		return 0, errors.New("want a number and a unit, such as 90s, 5m, 48h or 3d")
	}
	total := time.Duration(0)
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseInt(part[1], 10, 64)
		unit := unitOf(part[2])
		if err != nil || n > int64(maxDuration/unit) {
			return 0, errors.New("more than ten years")
		}
		if total += time.Duration(n) * unit; total > maxDuration {
			return 0, errors.New("more than ten years")
		}
	}
	return total, nil
}

func unitOf(letter string) time.Duration {
	switch letter {
	case "s":
		return time.Second
	case "m":
		return time.Minute
	case "h":
		return time.Hour
	}
	return 24 * time.Hour
}
