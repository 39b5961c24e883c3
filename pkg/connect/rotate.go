package connect

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/remote"
)

// The rotation of host keys as OpenSSH does it (PROTOCOL, section 2.5): after the login
// the server lists its keys; the client asks it to sign the session's id with those that
// it does not know; who can, holds them. Everything here is pure; rotate_lease.go talks.

const (
	announceRequest = "hostkeys-00@openssh.com"
	proveRequest    = "hostkeys-prove-00@openssh.com"
)

// Bounds of what a server may say. A host has three to five keys of at most 2 KiB each.
const (
	maxAnnounced = 64 << 10 // bytes of a list or of an answer
	maxTold      = 16       // keys in a list
	maxKeyBlob   = 4 << 10  // bytes of a key: RSA with 16384 bits takes 2 KiB
	leastRSA     = 2048     // bits of an RSA key that is learned; known ones may be older
)

// announcement is what a server said of its keys, as it came.
type announcement struct {
	payload []byte
	tooLong bool
}

// newAnnouncement keeps a copy, so that a large packet is not held for it.
func newAnnouncement(payload []byte) *announcement {
	if len(payload) > maxAnnounced {
		return &announcement{tooLong: true}
	}
	return &announcement{payload: bytes.Clone(payload)}
}

// announcedKeys is a list of keys as a client may use it.
type announcedKeys struct {
	keys    []ssh.PublicKey
	blobs   map[string]bool // every key that was listed, also those that are not used
	skipped []string        // why a key is not used, cleaned
}

// errAnnounced begins why a list of keys is refused as a whole.
var errAnnounced = errors.New("the list of host keys is refused")

// parseAnnounced reads the list. What no honest server sends (too many keys, huge ones,
// one of them twice, a cut list, certificates) refuses all of it; keys of kinds that are
// no longer safe, or not known here, are left out and named.
func parseAnnounced(payload []byte) (announcedKeys, error) {
	out := announcedKeys{blobs: map[string]bool{}}
	if len(payload) > maxAnnounced {
		return announcedKeys{}, fmt.Errorf("%w: it is longer than %d bytes", errAnnounced, maxAnnounced)
	}
	for rest := payload; len(rest) > 0; {
		blob, after, ok := cutString(rest)
		switch {
		case !ok:
			return announcedKeys{}, fmt.Errorf("%w: it is cut off", errAnnounced)
		case len(out.blobs) == maxTold:
			return announcedKeys{}, fmt.Errorf("%w: more than %d keys", errAnnounced, maxTold)
		case len(blob) > maxKeyBlob:
			return announcedKeys{}, fmt.Errorf("%w: a key of %d bytes", errAnnounced, len(blob))
		case out.blobs[string(blob)]:
			return announcedKeys{}, fmt.Errorf("%w: one key stands in it twice", errAnnounced)
		}
		out.blobs[string(blob)], rest = true, after
		key, why := usableKey(blob)
		if why != "" {
			out.skipped = append(out.skipped, why)
			continue
		}
		out.keys = append(out.keys, key)
	}
	if len(out.keys) == 0 {
		return announcedKeys{}, fmt.Errorf("%w: it holds no key that can be used", errAnnounced)
	}
	return out, nil
}

// usableKey reads one key, or says why it is left out.
func usableKey(blob []byte) (ssh.PublicKey, string) {
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil, "a key that can't be read: " + remote.Clean(err.Error(), peerText)
	}
	if !bytes.Equal(key.Marshal(), blob) {
		return nil, "a key that is not written as it should be"
	}
	if !slices.Contains(learnedKinds(), key.Type()) {
		return nil, "a key of the kind " + remote.Clean(key.Type(), 64)
	}
	if bits := rsaBits(key); bits != 0 && bits < leastRSA {
		return nil, fmt.Sprintf("an RSA key of %d bits", bits)
	}
	return key, ""
}

// rsaBits is the size of an RSA key; 0 for another kind.
func rsaBits(key ssh.PublicKey) int {
	holder, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return 0
	}
	if public, ok := holder.CryptoPublicKey().(*rsa.PublicKey); ok {
		return public.N.BitLen()
	}
	return 0
}

// askProofs is the payload that asks for a proof of each key.
func askProofs(keys []ssh.PublicKey) []byte {
	var out []byte
	for _, key := range keys {
		out = appendString(out, key.Marshal())
	}
	return out
}

// errProof begins why a proof does not hold.
var errProof = errors.New("the server did not prove that it holds its keys")

// checkProofs verifies one signature a key, in their order; any that is not right refuses
// all. What is signed holds the id of this very session, so that a proof of another host,
// or of another day, is worth nothing.
func checkProofs(session []byte, keys []ssh.PublicKey, answer []byte) error {
	for _, key := range keys {
		blob, rest, ok := cutString(answer)
		if !ok {
			return fmt.Errorf("%w: a signature is missing", errProof)
		}
		answer = rest
		if err := checkProof(session, key, blob); err != nil {
			return fmt.Errorf("%w: %s %s: %s", errProof, key.Type(), ssh.FingerprintSHA256(key), remote.Clean(err.Error(), peerText))
		}
	}
	if len(answer) > 0 {
		return fmt.Errorf("%w: more was sent than asked for", errProof)
	}
	return nil
}

func checkProof(session []byte, key ssh.PublicKey, blob []byte) error {
	format, rest, ok := cutString(blob)
	signature, rest, ok2 := cutString(rest)
	if !ok || !ok2 || len(rest) > 0 {
		return errors.New("the signature can't be read")
	}
	if !slices.Contains(algorithmsOf(key.Type(), false), string(format)) {
		return fmt.Errorf("signed by way of %q", string(format))
	}
	return key.Verify(proofText(session, key), &ssh.Signature{Format: string(format), Blob: signature})
}

// proofText is what the server signs.
func proofText(session []byte, key ssh.PublicKey) []byte {
	out := appendString(nil, []byte(proveRequest))
	out = appendString(out, session)
	return appendString(out, key.Marshal())
}

// cutString takes a string of the SSH protocol (RFC 4251, section 5) off the front.
func cutString(from []byte) (text, rest []byte, ok bool) {
	if len(from) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(from))
	if from = from[4:]; n > uint64(len(from)) {
		return nil, nil, false
	}
	return from[:n], from[n:], true
}

func appendString(to, text []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(text))) //nolint:gosec // of our own making, and short
	return append(to, text...)
}
