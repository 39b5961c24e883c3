package view

import (
	"fmt"
	"io"
	"sync"
)

// mostWaiting bounds what a queue holds, in bytes: some 200 000 lines, which is all
// of a rollout of ten thousand hosts.
const mostWaiting = 64 << 20

// queue writes in a goroutine of its own, which lives while something is to be
// written. A reader that stands still (a full pipe, Ctrl-S) must not stop the run: the
// engine tells the views from the goroutine that decides.
type queue struct {
	out     *sink // the writing goroutine's
	mu      sync.Mutex
	most    int
	texts   []string
	waiting int // bytes of texts
	left    int // texts that found no room
	err     error
	closed  bool
	idle    chan struct{} // closed when all is written; nil: nothing is being written
	once    sync.Once
	ended   error
}

func newQueue(w io.Writer) *queue { return &queue{out: watched(w), most: mostWaiting} }

// print lines a text up, or counts it where there is no room. The newest are left
// out, so that what is shown is whole up to there. It never blocks.
func (q *queue) print(text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting+len(text) > q.most {
		q.left++
		return
	}
	q.add(text)
}

// last lines up what stands at the end, which always has room.
func (q *queue) last(text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(text)
}

func (q *queue) add(text string) {
	if q.closed || q.err != nil {
		return
	}
	q.texts, q.waiting = append(q.texts, text), q.waiting+len(text)
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.write()
	}
}

func (q *queue) write() {
	for text, ok := q.next(); ok; text, ok = q.next() {
		q.out.print(text)
	}
}

// next takes the oldest text. Where there is none, the goroutine has ended with it.
func (q *queue) next() (string, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.texts) == 0 {
		close(q.idle)
		q.texts, q.idle = nil, nil
		return "", false
	}
	text := q.texts[0]
	q.texts[0] = "" // the rest of the slice would keep it
	q.texts, q.waiting = q.texts[1:], q.waiting-len(text)
	return text, true
}

// fail keeps the first error of making a text; nothing more is lined up.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
}

// missing says how much was left out; "" where nothing was.
func (q *queue) missing() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return missing(q.left)
}

func missing(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s left out here, since nobody read them in time; the journal has every event", plural(n, "line"))
}

// end waits until everything is written or nobody reads. Later calls say the same.
func (q *queue) end() error {
	q.once.Do(func() {
		q.ended = q.drain()
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.ended == nil {
			q.ended = q.err
		}
	})
	return q.ended
}

func (q *queue) drain() error {
	q.mu.Lock()
	q.closed = true
	idle := q.idle
	q.mu.Unlock()
	if idle == nil {
		return q.out.err
	}
	return q.out.await(idle)
}
