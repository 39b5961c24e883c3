package matrix

import (
	"context"
	"io"
	"time"

	"golang.org/x/crypto/ssh"
)

// types is a person on the device's console: each line is typed, and read for two seconds.
func (p *play) types(lines ...string) {
	p.t.Helper()
	raw, err := p.port.Dial(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	conn, channels, requests, err := ssh.NewClientConn(raw, "sw1", &ssh.ClientConfig{
		User: "patch", Auth: []ssh.AuthMethod{ssh.Password(loginSecret)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	client := ssh.NewClient(conn, channels, requests)
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		p.t.Fatal(err)
	}
	in, err := session.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	session.Stdout = io.Discard
	if err := session.Shell(); err != nil {
		p.t.Fatal(err)
	}
	pass(2 * time.Second)
	for _, line := range lines {
		_, _ = io.WriteString(in, line) // the device may have gone down
		pass(2 * time.Second)
	}
}
