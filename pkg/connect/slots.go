package connect

import (
	"context"
	"slices"
	"sync"
)

// slots bounds the open connections of a site. A connection that nobody leases
// keeps its slot until someone else wants it: then the longest idle one is closed.
type slots struct {
	mu    sync.Mutex
	free  int
	queue []chan struct{} // first come, first served; closed when a slot is handed over
	idle  []*node         // longest idle first
}

// acquire takes a slot, waiting for one if need be.
func (s *slots) acquire(ctx context.Context) error {
	turn := s.join()
	if turn == nil {
		return nil
	}
	s.evict()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		s.leave(turn)
		return context.Cause(ctx)
	}
}

// join takes a free slot (nil) or queues.
func (s *slots) join() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 {
		s.free--
		return nil
	}
	turn := make(chan struct{})
	s.queue = append(s.queue, turn)
	return turn
}

// evict closes one idle connection; its slot comes back by release.
func (s *slots) evict() {
	for {
		n := s.longestIdle()
		if n == nil || n.closeIfIdle() {
			return
		}
	}
}

func (s *slots) longestIdle() *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	n := s.idle[0]
	s.idle = s.idle[1:]
	return n
}

// leave gives up waiting. A slot that was handed over meanwhile goes on to the next.
func (s *slots) leave(turn chan struct{}) {
	s.mu.Lock()
	i := slices.Index(s.queue, turn)
	if i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	s.mu.Unlock()
	if i < 0 {
		s.release()
	}
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.free++
		return
	}
	close(s.queue[0])
	s.queue = s.queue[1:]
}

// park notes an idle connection. False: somebody waits, so close it at once.
func (s *slots) park(n *node) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		return false
	}
	s.idle = append(s.idle, n)
	return true
}

func (s *slots) unpark(n *node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.idle, n); i >= 0 {
		s.idle = slices.Delete(s.idle, i, i+1)
	}
}
