package farm

import (
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Minimal is what the program is measured against: the least that x/crypto/ssh needs
// to run one command on one host. Dial, one exec, close; the host key is checked.
func Minimal(address string, config *ssh.ClientConfig, command string) ([]byte, error) {
	client, err := ssh.Dial("tcp", address, config)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	return session.Output(command)
}

// ClientConfig logs in to the farm the plain way.
func (d Directory) ClientConfig() (*ssh.ClientConfig, error) {
	signer, err := ssh.ParsePrivateKey(d.Login)
	if err != nil {
		return nil, err
	}
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(d.HostKey))
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	return &ssh.ClientConfig{
		User: "farm", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: ssh.FixedHostKey(host),
	}, nil
}
