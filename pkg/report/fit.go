package report

import "strings"

// fit gives each column its width so that the whole line has at most total
// columns; total 0 or less means as wide as the texts are. The widest column gives
// way first. Nothing is broken inside a word while lines can still be broken between
// words, and no column goes below its least width while another can still give.
// roomy is false where some had to, down to three or less.
func fit(s sheet, total int) (widths []int, roomy bool) {
	widths = natural(s)
	if total <= 0 {
		return widths, true
	}
	room := total - gap*(len(widths)-1)
	least := leasts(s, widths)
	for _, step := range [][]int{atLeast(least, longestWords(s)), least} {
		for sum(widths) > room && squeeze(widths, step) {
		}
	}
	roomy = sum(widths) <= room
	for sum(widths) > room && squeeze(widths, floors(len(widths), room)) {
	}
	return widths, roomy
}

// natural is the width of each column's widest cell.
func natural(s sheet) []int {
	widths := make([]int, len(s.columns))
	for i, c := range s.columns {
		widths[i] = Width(c.head)
	}
	for _, row := range s.rows {
		for i, c := range row {
			widths[i] = max(widths[i], Width(c.text))
		}
	}
	return widths
}

// worth is how wide a name or word may be to be worth keeping in one piece.
const worth = 30

// leasts are the widths that the columns ask for, where they say nothing the
// longest word of the head.
func leasts(s sheet, natural []int) []int {
	out := make([]int, len(s.columns))
	for i, c := range s.columns {
		out[i] = c.least
		if c.whole {
			out[i] = min(natural[i], worth)
		}
		for word := range strings.FieldsSeq(c.head) {
			out[i] = max(out[i], Width(word))
		}
	}
	return out
}

// longestWords is the width of each column's longest word that is worth keeping.
func longestWords(s sheet) []int {
	out := make([]int, len(s.columns))
	for _, row := range s.rows {
		for i, c := range row {
			for _, word := range words(c.text, worth) {
				if w := Width(word); w <= worth {
					out[i] = max(out[i], w)
				}
			}
		}
	}
	return out
}

func atLeast(a, b []int) []int {
	out := make([]int, len(a))
	for i := range a {
		out[i] = max(a[i], b[i])
	}
	return out
}

// floors are three columns each, or what a very narrow terminal has for so many.
func floors(n, room int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = min(3, max(1, room/n))
	}
	return out
}

// squeeze takes one column from the widest that may still give; false: none may.
func squeeze(widths, least []int) bool {
	widest := -1
	for i, w := range widths {
		if w > least[i] && (widest < 0 || w > widths[widest]) {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	widths[widest]--
	return true
}

func sum(ns []int) int {
	total := 0
	for _, n := range ns {
		total += n
	}
	return total
}
