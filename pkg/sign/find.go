package sign

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/crypto/ssh"
)

// find settles who signs: the key's file, the agent, or ssh-keygen.
func (o Options) find(ctx context.Context) (ssh.PublicKey, sealer, error) {
	path, wanted, err := o.named()
	if err != nil {
		return nil, nil, err
	}
	cert, _ := wanted.(*ssh.Certificate)
	held := wanted
	if cert != nil {
		held = cert.Key
	}
	by, held, err := o.way(ctx, path, held, cert)
	if err != nil {
		return nil, nil, err
	}
	if cert != nil {
		return cert, by, nil
	}
	return held, by, nil
}

// named reads what Key names: the path of the private key, and the public key if that was
// named. A -cert.pub is to be shown with the signature, as ssh-keygen does.
func (o Options) named() (path string, wanted ssh.PublicKey, err error) {
	base, ok := strings.CutSuffix(o.Key, ".pub")
	if !ok {
		return o.Key, nil, nil
	}
	if wanted, err = readPublic(o.Key); err != nil {
		return "", nil, unusable(o.Key, err, "name a private key or its .pub file with --sign-key")
	}
	if _, certificate := wanted.(*ssh.Certificate); certificate {
		base = strings.TrimSuffix(base, "-cert")
	}
	return base, wanted, nil
}

// way finds how to sign with the key at path, or with held where that is known already.
func (o Options) way(ctx context.Context, path string, held ssh.PublicKey, cert *ssh.Certificate) (sealer, ssh.PublicKey, error) {
	text, err := readBounded(path, private)
	switch {
	case errors.Is(err, errOpen):
		return nil, nil, unusable(path, err, "chmod 600 "+path)
	case err != nil && held == nil: // a .pub beside it may tell which key of the agent is meant
		if held, _ = readPublic(path + ".pub"); held == nil {
			return nil, nil, unusable(path, err, "name a private key or its .pub file with --sign-key")
		}
	}
	if err != nil {
		return o.agentAlone(ctx, path, held, cert, err)
	}
	signer, told, err := parsePrivate(text)
	switch {
	case err == nil:
		return fromFile(path, signer, held, cert)
	case errors.Is(err, errPassphrase), errors.Is(err, errHardware):
		return o.closed(ctx, path, text, firstKey(held, told), cert, errors.Is(err, errHardware))
	}
	return nil, nil, unusable(path, err, "name a private key or its .pub file with --sign-key")
}

func firstKey(keys ...ssh.PublicKey) ssh.PublicKey {
	for _, k := range keys {
		if k != nil {
			return k
		}
	}
	return nil
}

// agentAlone: there is no private key to read, so the agent must have it.
func (o Options) agentAlone(ctx context.Context, path string, held ssh.PublicKey, cert *ssh.Certificate, why error) (sealer, ssh.PublicKey, error) {
	err := inAgent(ctx, o.Agent, held)
	if err == nil {
		return agentSealer{o.Agent, held, cert}, held, nil
	}
	if !errors.Is(why, fs.ErrNotExist) {
		err = errors.Join(why, err)
	}
	return nil, nil, unusable(path, err, "add the private key to the SSH agent (ssh-add), or name its file with --sign-key")
}

// closed: the file needs a passphrase or a security key; the agent may have it open.
func (o Options) closed(ctx context.Context, path string, text []byte, held ssh.PublicKey, cert *ssh.Certificate, hardware bool) (sealer, ssh.PublicKey, error) {
	if held == nil { // an old PEM file does not tell its public key
		held, _ = readPublic(path + ".pub")
	}
	if held != nil && o.Agent != "" && inAgent(ctx, o.Agent, held) == nil {
		return agentSealer{o.Agent, held, cert}, held, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, context.Cause(ctx)
	}
	if hardware {
		return o.program(path, held, cert)
	}
	signer, err := o.unlock(ctx, path, text)
	if err != nil {
		return nil, nil, err
	}
	return fromFile(path, signer, held, cert)
}

// fromFile holds the private key against the public one that was named.
func fromFile(path string, signer ssh.Signer, held ssh.PublicKey, cert *ssh.Certificate) (sealer, ssh.PublicKey, error) {
	if held != nil && pick([]ssh.Signer{signer}, held) == nil {
		return nil, nil, unusable(path, errors.New("the private key is not that of the public key beside it"), "name the private key itself with --sign-key")
	}
	able, err := certified(signer, cert)
	if err != nil {
		return nil, nil, unusable(path, err, "")
	}
	return fileSealer{able}, signer.PublicKey(), nil
}
