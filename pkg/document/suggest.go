package document

import "strings"

// Nearest gives the candidate that text is most likely a slip for, or "": the one
// with the fewest slips, else the first that text is the beginning of. Equal distances
// go to the first candidate.
func Nearest(text string, candidates []string) string {
	best, bestAt := "", limit(text)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(text), strings.ToLower(c), bestAt); d < bestAt {
			best, bestAt = c, d
		}
	}
	for _, c := range candidates {
		if best == "" && len(text) >= 4 && strings.HasPrefix(c, text) {
			best = c
		}
	}
	return best
}

// DidYouMean is "did you mean `x`?" for the nearest candidate, or otherwise.
func DidYouMean(text string, candidates []string, otherwise string) string {
	if best := Nearest(text, candidates); best != "" {
		return "did you mean `" + best + "`?"
	}
	return otherwise
}

func near(text, other string) bool { return Nearest(text, []string{other}) != "" }

// limit is how many slips a word of this length may hold: one in three letters.
func limit(text string) int { return min(len(text)/3, 4) }

// distance counts the insertions, deletions, replacements and swaps of neighbours
// that lead from a to b; most or more is reported as most.
func distance(a, b string, most int) int {
	if diff := len(a) - len(b); diff >= most || -diff >= most {
		return most
	}
	var onStack [3][40]int // no allocation for words of the usual length: there can be 100,000
	before, last, row := onStack[0][:], onStack[1][:], onStack[2][:]
	if len(b) >= len(row) {
		before, last, row = make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	}
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost(a[i-1] != b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], most)
}

func cost(differs bool) int {
	if differs {
		return 1
	}
	return 0
}
