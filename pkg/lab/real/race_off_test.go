//go:build linux && !race

package real_test

const raceDetector = false
