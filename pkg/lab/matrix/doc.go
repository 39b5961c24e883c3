// Package matrix lets the drivers of devices and the simulated devices meet: every step of
// every family's upgrade under every fault that can strike there. Its tests hold what
// patchring says of a device afterwards against what is true of it. What is not a test here is
// only the wire between the two: a network in memory, on which virtual time passes.
package matrix
