// Package evidence says which bytes are signed (approvals, checkpoints, the manifest), makes
// the bundle of a rollout that an auditor gets, and verifies it. It does no I/O and knows no
// clock: bytes in, bytes and verdicts out.
package evidence
