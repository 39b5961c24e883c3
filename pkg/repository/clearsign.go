package repository

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
)

const (
	maxRelease = 16 << 20
	clearBegin = "-----BEGIN PGP SIGNED MESSAGE-----"
)

// VerifyClear takes a clear-signed text (apt's InRelease) apart. The text it gives
// is what the signature covers and nothing else; it is given with an error as well,
// as nobody's but the sender's word. Text before or after the signed message is
// ErrFormat: some readers would take it for signed.
func (k *Keyring) VerifyClear(message []byte, now time.Time) (text []byte, s Signer, err error) {
	if len(message) > maxRelease {
		return nil, Signer{}, fmt.Errorf("signed message: %w", ErrTooBig)
	}
	message = bytes.TrimSpace(message)
	if !bytes.HasPrefix(message, []byte(clearBegin)) {
		return nil, Signer{}, fmt.Errorf("not a clear-signed message: %w", ErrFormat)
	}
	var block *clearsign.Block
	var packets, rest []byte
	err = guarded(func() error {
		if block, rest = clearsign.Decode(message); block == nil {
			return ErrFormat
		}
		packets, err = io.ReadAll(io.LimitReader(block.ArmoredSignature.Body, maxSignature))
		return err
	})
	if err != nil {
		return nil, Signer{}, fmt.Errorf("clear-signed message: %w", ErrFormat)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, Signer{}, fmt.Errorf("text after the signed message: %w", ErrFormat)
	}
	s, err = k.verify(block.Bytes, packets, now)
	return block.Bytes, s, err
}
