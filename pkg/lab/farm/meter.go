package farm

import (
	"sync"
	"syscall"
	"time"
)

// Meter adds up what a part of a benchmark costs this process.
type Meter struct{ CPU, Wall time.Duration }

// Measure runs work and adds its cost.
func (m *Meter) Measure(work func()) {
	start, before := time.Now(), cpu()
	work()
	m.Wall += time.Since(start)
	m.CPU += cpu() - before
}

// cpu is what this process used so far, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Parallel runs work for each of n hosts, so many at a time.
func Parallel(n, atOnce int, work func(i int)) {
	tokens := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i := range n {
		tokens <- struct{}{}
		all.Go(func() {
			defer func() { <-tokens }()
			work(i)
		})
	}
	all.Wait()
}
