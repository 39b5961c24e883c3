// Package device plays network gear, load balancers and storage behind real SSH: one
// engine over device files (README.md). A device has a state that survives its
// reboots, a clock of its own, and faults. What was really done to it is told out of
// band, so that tests compare a verdict with the truth.
//
// Nothing here is safe to expose.
package device
