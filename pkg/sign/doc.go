// Package sign signs with SSH keys, from a file or through the agent, and publishes
// checkpoints off the machine.
package sign
