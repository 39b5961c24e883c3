package health

import (
	"fmt"
	"strconv"
	"strings"
)

// Free is how much must be free: either KiB or a percentage.
type Free struct {
	KiB     int64
	Percent float64
}

// ParseFree reads "10%", "500MiB", "2GiB", "800MB" (powers of 1000) or "2G" (as
// df and ls -h mean it: powers of 1024).
func ParseFree(text string) (Free, error) {
	number := strings.TrimRight(text, "%BKMGTikmgtb ")
	unit := strings.TrimSpace(text[len(number):])
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0) || n > 1e15 {
		return Free{}, fmt.Errorf(`%q is not an amount of space; write "10%%" or "500MiB"`, text)
	}
	if unit == "%" && n <= 100 {
		return Free{Percent: n}, nil
	}
	bytes, known := units()[unit]
	if !known {
		return Free{}, fmt.Errorf(`%q is not an amount of space; write "10%%" or "500MiB"`, text)
	}
	return Free{KiB: int64(n * bytes / 1024)}, nil
}

func units() map[string]float64 {
	return map[string]float64{
		"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
		"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	}
}
