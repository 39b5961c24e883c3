//go:build linux && race

package real_test

// raceDetector: the tests were built with it, so the program under test is too.
const raceDetector = true
