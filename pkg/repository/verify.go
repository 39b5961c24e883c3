package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

const (
	maxSignature  = 1 << 20
	maxSignatures = 16
	// clockSkew is how far in the future a signature may be: repositories sign just
	// before they publish, and the controller's clock may be a little behind.
	clockSkew = 10 * time.Minute
)

// Verify checks a detached signature, binary or armored, over signed. One good
// signature by a trusted key that is valid now is enough. The error wraps one reason
// for each signature that was refused, and errors.Is finds it.
func (k *Keyring) Verify(signed, signature []byte, now time.Time) (Signer, error) {
	if len(bytes.TrimSpace(signature)) == 0 {
		return Signer{}, ErrNoSignature
	}
	if len(signature) > maxSignature {
		return Signer{}, fmt.Errorf("signature: %w", ErrTooBig)
	}
	bodies := [][]byte{signature}
	if bytes.Contains(signature, []byte("-----BEGIN PGP ")) {
		var err error
		if bodies, err = armored(signature, openpgp.SignatureType); err != nil {
			return Signer{}, err
		}
	}
	return k.verify(signed, bytes.Join(bodies, nil), now)
}

// verify tries each signature packet by itself, so that one that can't be read does
// not hide a good one behind it.
func (k *Keyring) verify(signed, packets []byte, now time.Time) (Signer, error) {
	if k == nil {
		k = &Keyring{}
	}
	if now.IsZero() { // the library would leave out every check of time
		return Signer{}, ErrNoTime
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var problems []error
	reader := packet.NewOpaqueReader(bytes.NewReader(packets))
	for range maxSignatures {
		raw, err := reader.Next()
		if err != nil {
			break
		}
		signer, err := k.verifyOne(signed, raw, now)
		if err == nil {
			return signer, nil
		}
		problems = append(problems, err)
	}
	if len(problems) == 0 {
		return Signer{}, ErrNoSignature
	}
	return Signer{}, joined(problems)
}

// verifyOne tries one signature against every trusted key that it may be of: a
// keyring put together from files can hold an old and a renewed copy of one key.
func (k *Keyring) verifyOne(signed []byte, raw *packet.OpaquePacket, now time.Time) (signer Signer, err error) {
	sig, err := parseSignature(raw)
	if err != nil {
		return Signer{}, err
	}
	candidates := k.keys.EntitiesById(*sig.IssuerKeyId)
	if len(candidates) == 0 {
		return Signer{}, fmt.Errorf("%w: %016X", ErrUnknownKey, *sig.IssuerKeyId)
	}
	var problems []error
	for _, key := range candidates {
		err = guarded(func() error {
			signer, err = verifyBy(key, signed, raw, sig.CreationTime, now)
			return err
		})
		if err == nil {
			return signer, nil
		}
		problems = append(problems, fmt.Errorf("%w: %016X", reasonOf(err), *sig.IssuerKeyId))
	}
	return Signer{}, joined(problems)
}

func parseSignature(raw *packet.OpaquePacket) (*packet.Signature, error) {
	var parsed packet.Packet
	err := guarded(func() (err error) {
		parsed, err = raw.Parse()
		return err
	})
	sig, ok := parsed.(*packet.Signature)
	switch {
	case err != nil || !ok || sig.IssuerKeyId == nil:
		return nil, fmt.Errorf("a signature that can't be read: %w", ErrFormat)
	case sig.SigType != packet.SigTypeBinary && sig.SigType != packet.SigTypeText:
		return nil, fmt.Errorf("a signature of another kind: %w", ErrFormat)
	}
	return sig, nil
}

// verifyBy holds one signature to one key: at the time of signing, as the library
// does, and now as well, since a key that has expired or was revoked since then no
// longer speaks for the repository.
func verifyBy(key *openpgp.Entity, signed []byte, raw *packet.OpaquePacket, made, now time.Time) (Signer, error) {
	var one bytes.Buffer
	if err := raw.Serialize(&one); err != nil {
		return Signer{}, err
	}
	judged := now
	if made.After(now) && made.Sub(now) <= clockSkew {
		judged = made
	}
	config := &packet.Config{Time: func() time.Time { return judged }}
	details, err := openpgp.VerifyDetachedSignatureReader(openpgp.EntityList{key}, bytes.NewReader(signed), &one, config)
	if err != nil {
		return Signer{}, err
	}
	if _, err := io.Copy(io.Discard, details.UnverifiedBody); err != nil {
		return Signer{}, err
	}
	if details.SignatureError != nil || details.SignedBy == nil || details.Signature == nil {
		return Signer{}, errors.Join(pgperrors.ErrUnknownIssuer, details.SignatureError)
	}
	if err := validNow(details.SignedBy, judged, config); err != nil {
		return Signer{}, err
	}
	return signerOf(key, details.Signature, judged, config), nil
}

func validNow(by *openpgp.Key, now time.Time, config *packet.Config) error {
	if _, err := by.Entity.VerifyPrimaryKey(now, config); err != nil {
		return err
	}
	for i := range by.Entity.Subkeys {
		if sub := &by.Entity.Subkeys[i]; sub.PublicKey == by.PublicKey {
			_, err := sub.Verify(now, config)
			return err
		}
	}
	return nil
}

func signerOf(key *openpgp.Entity, sig *packet.Signature, now time.Time, config *packet.Config) Signer {
	s := Signer{Fingerprint: fmt.Sprintf("%X", key.PrimaryKey.Fingerprint), Time: sig.CreationTime.UTC()}
	if _, id := key.PrimaryIdentity(now, config); id != nil {
		s.UserID = clean(id.Name)
	}
	return s
}

// reasonOf names the library's refusal by one of our sentinel errors. What has no
// name of its own is a signature that does not fit.
func reasonOf(err error) error {
	weak := pgperrors.WeakAlgorithmError("")
	switch {
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return ErrRevokedKey
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return ErrExpiredKey
	case errors.Is(err, pgperrors.ErrSignatureExpired), errors.Is(err, pgperrors.ErrSignatureOlderThanKey):
		return ErrExpiredSignature
	case errors.As(err, &weak), strings.Contains(err.Error(), "insecure"):
		return ErrWeak
	}
	return ErrBadSignature
}

// joined is errors.Join on one line, without repetitions.
func joined(problems []error) error {
	seen := map[string]bool{}
	var list reasons
	for _, p := range problems {
		if !seen[p.Error()] {
			seen[p.Error()] = true
			list = append(list, p)
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

type reasons []error

func (r reasons) Error() string {
	texts := make([]string, len(r))
	for i, err := range r {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (r reasons) Unwrap() []error { return r }
