package vault

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// The format of ansible-vault: PBKDF2-SHA256 gives the keys of AES-256-CTR and HMAC-SHA256
// and the counter's start. The rounds are fixed, so no file can demand more work.
const (
	vaultIntro  = "$ANSIBLE_VAULT;"
	vaultRounds = 10_000
	vaultKey    = 32
)

// fromAnsible opens a vault file of Ansible: all of it, one variable of the YAML inside it,
// or one variable that is encrypted by itself (!vault) in a plain file.
func (v *Vault) fromAnsible(ctx context.Context, ref secret.Ref) (secret.Secret, error) {
	path, key := splitKey(ref.Target())
	raw, err := v.read(path, encrypted)
	if err != nil {
		return secret.Secret{}, told(ref, err)
	}
	opened, err := v.ansibleText(ctx, raw, key)
	if err != nil {
		return secret.Secret{}, told(ref, err)
	}
	return valueOf(ref, opened)
}

func (v *Vault) ansibleText(ctx context.Context, raw []byte, key string) ([]byte, error) {
	whole := bytes.HasPrefix(raw, []byte(vaultIntro))
	if whole {
		var err error
		if raw, err = v.openEnvelope(ctx, raw); err != nil || key == "" {
			return raw, err
		}
	}
	if key == "" {
		return nil, fault.Usagef("encrypt it with: ansible-vault encrypt FILE, or name one variable of it: ansible-vault:PATH#NAME", "not a vault file as a whole")
	}
	tree, err := document.Tree(raw)
	if err != nil {
		return nil, fault.Usagef("only a YAML file has variables; without # the whole file is the secret", "the file holds no YAML")
	}
	n, ok := lookUp(tree, key)
	switch {
	case !ok || !isScalar(n):
		return nil, fault.Usagef("look into it: ansible-vault view FILE; keys are written with dots between them", "no single value at %q", key)
	case n.Tag == "!vault":
		return v.openEnvelope(ctx, []byte(n.Text))
	case !whole:
		return nil, fault.Usagef("encrypt it with: ansible-vault encrypt_string", "%q stands in clear", key)
	}
	return []byte(n.Text), nil
}

// openEnvelope decrypts what ansible-vault wrote.
func (v *Vault) openEnvelope(ctx context.Context, raw []byte) ([]byte, error) {
	e, err := parseEnvelope(raw)
	if err != nil {
		return nil, fault.Usagef("look at it with: ansible-vault view FILE", "not a vault file that can be read: %v", err)
	}
	password, err := v.vaultPassword(ctx, e.label)
	if err != nil {
		return nil, err
	}
	opened, err := e.open(strings.TrimSpace(password.Reveal())) // as Ansible reads a password file
	if err != nil {
		return nil, fault.Usagef("try it: ansible-vault view FILE; name the password with --vault-password REFERENCE", "%v", err)
	}
	return opened, nil
}

// vaultPassword is the operator's own; the inventory can't name it.
func (v *Vault) vaultPassword(ctx context.Context, label string) (secret.Secret, error) {
	name := "ansible-vault password"
	if label != "" {
		name += " of vault id " + label
	}
	switch v.o.Password.Scheme() {
	case "ansible-vault":
		return secret.Secret{}, fault.Usagef("write file:, exec:, keyring: or prompt", "the password of ansible-vault files can't be in one")
	case "":
		return v.ask(ctx, name)
	}
	return v.Resolve(ctx, v.o.Password, name)
}

// envelope is a vault file that is not opened yet.
type envelope struct {
	label           string // the vault id, of format 1.2
	salt, mac, data []byte
}

// parseEnvelope reads "$ANSIBLE_VAULT;1.1;AES256" or "…;1.2;AES256;ID", then hex of
// three lines of hex: salt, HMAC, ciphertext.
func parseEnvelope(raw []byte) (envelope, error) {
	head, body, _ := strings.Cut(strings.TrimSpace(string(raw)), "\n")
	var e envelope
	if err := e.readHead(strings.Split(strings.TrimSpace(head), ";")); err != nil {
		return e, err
	}
	inner, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return e, errNotHex
	}
	lines := strings.Split(string(inner), "\n")
	if len(lines) != 3 {
		return e, errors.New("it has not the three parts that it should have")
	}
	for i, into := range []*[]byte{&e.salt, &e.mac, &e.data} {
		if *into, err = hex.DecodeString(lines[i]); err != nil {
			return e, errNotHex
		}
	}
	if len(e.salt) == 0 || len(e.mac) != sha256.Size || len(e.data) == 0 || len(e.data)%aes.BlockSize != 0 {
		return e, errors.New("its parts have not the sizes that they should have")
	}
	return e, nil
}

var errNotHex = errors.New("it is not the hex that it should be")

func (e *envelope) readHead(fields []string) error {
	if len(fields) < 3 || fields[0]+";" != vaultIntro {
		return errors.New("its first line is not that of a vault file")
	}
	switch version := fields[1]; {
	case version == "1.2" && len(fields) == 4:
		e.label = fields[3]
	case version != "1.1" || len(fields) != 3:
		return fmt.Errorf("format %q is not known, only 1.1 and 1.2 are", version)
	}
	if fields[2] != "AES256" {
		return fmt.Errorf("cipher %q is not known, only AES256 is", fields[2])
	}
	return nil
}

// errVault: the HMAC is keyed by the password, so the format can't tell more.
var errVault = errors.New("the password is wrong, or the file was changed (the format can't tell which)")

func (e *envelope) open(password string) ([]byte, error) {
	keys, err := pbkdf2.Key(sha256.New, password, e.salt, vaultRounds, 2*vaultKey+aes.BlockSize)
	if err != nil {
		return nil, fmt.Errorf("derive the keys: %w", err)
	}
	mac := hmac.New(sha256.New, keys[vaultKey:2*vaultKey])
	mac.Write(e.data)
	if !hmac.Equal(mac.Sum(nil), e.mac) {
		return nil, errVault
	}
	block, err := aes.NewCipher(keys[:vaultKey])
	if err != nil {
		return nil, fmt.Errorf("use the key: %w", err)
	}
	opened := make([]byte, len(e.data))
	cipher.NewCTR(block, keys[2*vaultKey:]).XORKeyStream(opened, e.data)
	return unpadded(opened)
}

// unpadded takes PKCS #7 padding off.
func unpadded(opened []byte) ([]byte, error) {
	n := int(opened[len(opened)-1])
	if n == 0 || n > aes.BlockSize || !bytes.HasSuffix(opened, bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errVault
	}
	return opened[:len(opened)-n], nil
}
