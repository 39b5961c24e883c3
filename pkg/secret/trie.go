package secret

import "bytes"

// trie finds the longest of many patterns that begins at a place. It grows by one
// pattern at a time, since secrets become known one by one, while output goes on. Edges
// are sparse: a fleet may have thousands of secrets of twenty forms each.
type trie struct {
	first [256]int32 // of the root: most bytes begin no pattern
	next  map[edge]int32
	ends  map[int32]kind
	inner []bool // by node: patterns go on behind it
}

// edge is a step from a node (0 is the root) by a byte.
type edge struct {
	node int32
	by   byte
}

// kind is what ends at a node: nothing, a whole pattern, or a window of a text that may be
// broken into lines: how many bytes of it the window that follows repeats.
type kind int8

const whole kind = -1

func newTrie() *trie {
	return &trie{next: map[edge]int32{}, ends: map[int32]kind{}, inner: make([]bool, 1)}
}

// add makes a pattern known. What is a whole one stays that.
func (t *trie) add(pattern string, is kind) {
	node := int32(0)
	for i := range len(pattern) {
		node = t.step(node, pattern[i])
	}
	if t.ends[node] != whole {
		t.ends[node] = is
	}
}

// step goes on by one byte, to a new node where there was none.
func (t *trie) step(node int32, by byte) int32 {
	to := t.child(node, by)
	if to != 0 {
		return to
	}
	to = int32(len(t.inner)) //nolint:gosec // memory ends long before
	t.inner = append(t.inner, false)
	t.inner[node] = true
	if node == 0 {
		t.first[by] = to
	} else {
		t.next[edge{node, by}] = to
	}
	return to
}

func (t *trie) child(node int32, by byte) int32 {
	if node == 0 {
		return t.first[by]
	}
	return t.next[edge{node, by}]
}

// found is what begins at a place: a pattern of so many bytes (0: none), and whether a
// longer one may, were there more to read.
type found struct {
	size int
	more bool
	is   kind
}

// at looks at what begins at text[i]. Of a text that is known by windows, that is as much as
// stands in one line.
func (t *trie) at(text []byte, i int) found {
	best := t.one(text, i)
	for last := best; last.is > 0; {
		repeats := int(last.is)
		last = t.one(text, i+best.size-repeats)
		best.more = best.more || last.more
		if last.size <= repeats {
			break
		}
		best.size += last.size - repeats
	}
	return best
}

// one finds the longest pattern that begins at text[i].
func (t *trie) one(text []byte, i int) found {
	var best found
	node := int32(0)
	for j := i; j < len(text); j++ {
		if node = t.child(node, text[j]); node == 0 {
			return best.orCut(text, i, j)
		}
		if is := t.ends[node]; is != 0 {
			best.size, best.is = j+1-i, is
		}
	}
	best.more = t.inner[node]
	return best
}

// orCut: a text that was cut for its length may end within a value; its ellipsis tells.
func (f found) orCut(text []byte, from, to int) found {
	if f.size == 0 && to-from >= leastCut && bytes.HasPrefix(text[to:], []byte("…")) {
		f.size = to - from
	}
	return f
}
