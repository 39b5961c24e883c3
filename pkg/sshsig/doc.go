// Package sshsig reads, makes and verifies SSH signatures (SSHSIG, as ssh-keygen -Y does)
// and reads OpenSSH's allowed_signers. It does no I/O and knows no clock.
//
// It says yes to nothing that ssh-keygen -Y verify would refuse. By intent it refuses more:
//
//   - RSA keys under 2048 bits, DSA, and RSA with SHA-1, also in a certificate authority's
//     own signature;
//   - a security key's signature for which nobody touched the key;
//   - certificates with critical options, verify-required excepted, which is enforced:
//     what can't be enforced is no restriction;
//   - text after the END line, another version than 1, a reserved field that is not empty,
//     keys that are not in their canonical encoding;
//   - a whole allowed_signers file for one bad line, where ssh-keygen skips the line: a
//     skipped restriction would be trust;
//   - dates without Z in allowed_signers: ssh-keygen takes them for the local time, so the
//     same file would say different things on the signer's and on the auditor's machine.
//
// Not supported, and refused: WebAuthn signatures, and revocation lists (KRL): take the line
// out of the file, or end it with valid-before.
package sshsig
