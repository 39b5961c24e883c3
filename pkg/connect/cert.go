package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// Validity is how long a login with a certificate can be had.
type Validity struct {
	Until       time.Time // zero: no certificate, or none that runs out
	Certificate string    // its file, or its key ID in the agent
	User        string    // whom it logs in
	Server      string    // the host, or the bastion before it
}

// Expiry tells until when the certificates are valid that a login to the host would offer
// now, the earliest first to run out: at its bastions, then at the host itself. Nothing is
// dialled; a passphrase may be asked for, as for the login.
func (f *Fleet) Expiry(ctx context.Context, h inventory.Host, s inventory.Site) (Validity, error) {
	if h.ControlMaster != "" {
		return Validity{}, nil // the user's own ssh has logged in already
	}
	way, err := f.route(ctx, h, s)
	if err != nil {
		return Validity{}, fault.On(err, h.ID.String(), stepConnect)
	}
	first := Validity{}
	for _, to := range append(slices.Clone(way.hops), way.host) {
		o, err := f.offer(ctx, to)
		if err != nil {
			return Validity{}, fault.On(err, h.ID.String(), to.step())
		}
		first = sooner(first, o.validity(to))
	}
	return first, nil
}

func sooner(a, b Validity) Validity {
	if a.Until.IsZero() || (!b.Until.IsZero() && b.Until.Before(a.Until)) {
		return b
	}
	return a
}

// validity of an offer is that of its certificate which runs out first: which of them the
// server will take can't be told from here.
func (o offer) validity(to endpoint) Validity {
	first := Validity{}
	for _, c := range o.candidates {
		if c.cert != nil && c.cert.ValidBefore < endOfTime {
			first = sooner(first, Validity{Until: certTime(c.cert.ValidBefore), Certificate: c.name(), User: to.user, Server: to.who()})
		}
	}
	return first
}

// endOfTime: a certificate that is valid until the year 9999 or later never runs out.
const endOfTime = 253402300800

func certTime(seconds uint64) time.Time {
	return time.Unix(int64(min(seconds, endOfTime)), 0).UTC()
}

// certificateIn reads a user certificate in a file.
func certificateIn(text []byte) (*ssh.Certificate, error) {
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, err
	}
	cert, ok := public.(*ssh.Certificate)
	if !ok || cert.CertType != ssh.UserCert {
		return nil, errors.New("not a user certificate")
	}
	return cert, nil
}

// stale is why a certificate can't be used at that time; nil when it can.
func stale(cert *ssh.Certificate, now time.Time) error {
	at := uint64(max(now.Unix(), 0))
	switch {
	case at >= cert.ValidBefore && cert.ValidBefore != ssh.CertTimeInfinity:
		return fmt.Errorf("the certificate expired at %s", certTime(cert.ValidBefore).Format(time.RFC3339))
	case at < cert.ValidAfter:
		return fmt.Errorf("the certificate is not valid before %s", certTime(cert.ValidAfter).Format(time.RFC3339))
	}
	return nil
}

// beside reads the certificate that lies beside a key file; nil where there is none.
func beside(path string, key ssh.PublicKey) (*ssh.Certificate, error) {
	text, err := readPlain(path + "-cert.pub")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cert, err := certificateIn(text)
	if err == nil && !bytes.Equal(cert.Key.Marshal(), key.Marshal()) {
		err = errors.New("the certificate is for another key")
	}
	return cert, err
}

// certify puts a key's certificate before it, as OpenSSH does: the one that lies beside its
// file, and those that ssh_config names (CertificateFile). One that can't be used is left
// out, and said.
func (f *Fleet) certify(o *offer, c candidate, path string, more []string) {
	cert, err := beside(path, c.public)
	f.addCertificate(o, c, cert, path+"-cert.pub", err)
	for _, file := range more {
		text, err := readPlain(file)
		if err != nil {
			f.leaveOut(o, file, err)
			continue
		}
		cert, err := certificateIn(text)
		if err != nil || bytes.Equal(cert.Key.Marshal(), c.public.Marshal()) {
			f.addCertificate(o, c, cert, file, err)
		}
	}
	o.candidates = append(o.candidates, c)
}

func (f *Fleet) addCertificate(o *offer, c candidate, cert *ssh.Certificate, file string, err error) {
	if err == nil && cert != nil {
		err = stale(cert, time.Now())
	}
	if err != nil {
		f.leaveOut(o, file, err)
	}
	if err != nil || cert == nil || o.has(cert) {
		return
	}
	c.cert, c.public, c.from = cert, cert, file
	o.candidates = append(o.candidates, c)
}

// leaveOut says what is not offered: once to the person, and again in the fault of a login
// that failed without it.
func (f *Fleet) leaveOut(o *offer, what string, why error) {
	note := fmt.Sprintf("%s is not offered: %v", what, why)
	if !slices.Contains(o.notes, note) {
		o.notes = append(o.notes, note)
	}
	f.warn(note)
}

// strangeTo is said of a certificate in the fault of a login that was refused: sshd may map
// principals to users in its own way (AuthorizedPrincipalsFile), so it was offered all the
// same.
func strangeTo(cert *ssh.Certificate, name, user string) string {
	switch {
	case len(cert.ValidPrincipals) == 0:
		return name + " names no principal, so sshd takes it for nobody"
	case !slices.Contains(cert.ValidPrincipals, user):
		var names []string
		for _, p := range cert.ValidPrincipals[:min(len(cert.ValidPrincipals), 5)] {
			names = append(names, remote.Clean(p, 60))
		}
		return fmt.Sprintf("%s is for %v, not for %s", name, names, user)
	}
	return ""
}
