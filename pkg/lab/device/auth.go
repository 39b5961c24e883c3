package device

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// makeKey makes a host key of a form.
func makeKey(form string) (ssh.Signer, error) {
	if form == "rsa" || form == "ssh-rsa" {
		return rsaKey(form)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	return signer, nil
}

func rsaKey(form string) (ssh.Signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	if form == "rsa" {
		return signer, nil
	}
	old, err := ssh.NewSignerWithAlgorithms(signer.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA})
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	return old, nil
}

func (d *Device) config() *ssh.ServerConfig {
	form := d.kind.file.SSH
	config := &ssh.ServerConfig{ServerVersion: form.Ident, MaxAuthTries: 3}
	if config.ServerVersion == "" {
		config.ServerVersion = "SSH-2.0-lab"
	}
	config.KeyExchanges = longNames(form.Kex, "diffie-hellman-")
	config.Ciphers, config.MACs = form.Ciphers, form.MACs
	if form.Banner != "" {
		config.BannerCallback = func(ssh.ConnMetadata) string {
			d.sys.mu.Lock()
			defer d.sys.mu.Unlock()
			return strings.ReplaceAll(d.text(&call{d: d}, form.Banner), "\n", "\r\n")
		}
	}
	d.addAuth(config, form.Auth)
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	config.AddHostKey(d.key)
	return config
}

func longNames(names []string, prefix string) []string {
	var long []string
	for _, name := range names {
		if strings.HasPrefix(name, "group") {
			name = prefix + name
		}
		long = append(long, name)
	}
	return long
}

func (d *Device) addAuth(config *ssh.ServerConfig, ways []string) {
	has := func(way string) bool { return len(ways) == 0 && way != "none" || slices.Contains(ways, way) }
	right := func(user, given string) (*ssh.Permissions, error) {
		if d.options.Password == "" || !d.admits(user, given) {
			return nil, errDenied
		}
		return &ssh.Permissions{}, nil
	}
	config.NoClientAuth = has("none")
	if has("password") && d.options.Password != "" {
		config.PasswordCallback = func(meta ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			return right(meta.User(), string(given))
		}
	}
	if has("keyboard") && d.options.Password != "" {
		config.KeyboardInteractiveCallback = func(meta ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 {
				return nil, errDenied
			}
			return right(meta.User(), answers[0])
		}
	}
	if has("publickey") && len(d.options.Keys) > 0 {
		config.PublicKeyCallback = d.admitsKey
	}
}

func (d *Device) admitsKey(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	for _, known := range d.options.Keys {
		if meta.User() == d.options.User && bytes.Equal(known.Marshal(), key.Marshal()) && !d.locked() {
			return &ssh.Permissions{}, nil
		}
	}
	return nil, errDenied
}

// admits checks a user and password.
func (d *Device) admits(user, password string) bool {
	if !d.locked() && user == d.options.User && password == d.options.Password {
		return true
	}
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	d.done.Refused++
	return false
}

// locked tells whether nobody can log in: the AAA server is not reachable yet.
func (d *Device) locked() bool {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	return d.sys.clock.now().Before(d.noLogin)
}
