package matrix

import "time"

// pass lets virtual time pass; only for use inside synctest.Test.
func pass(d time.Duration) { time.Sleep(d) }

// begin is when every play begins: a bubble's time begins in 2000, before any device was made.
func begin() { pass(time.Until(time.Date(2026, time.March, 2, 22, 0, 0, 0, time.UTC))) }
