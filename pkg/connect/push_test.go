package connect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// sinkServer is the SCP side of a device, as IOS behaves by its documentation: nothing but
// -t, no exit status, and no SFTP.
type sinkServer struct {
	refuse  string // said instead of the first acknowledgement
	header  string // said instead of the second
	middle  string // said once some bytes came; then nothing is read any more
	last    string // said instead of the last
	hangsUp int    // closes after so many acknowledgements
	late    chan struct{}
	exit    bool // an exit status comes

	mu   sync.Mutex
	line string
	name string
	got  []byte
}

func (d *sinkServer) session(ch ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
	defer func() { _ = ch.Close() }()
	for req := range reqs {
		if req.Type != "exec" {
			_ = req.Reply(false, nil)
			continue
		}
		_ = req.Reply(true, nil)
		go ssh.DiscardRequests(reqs)
		var c struct{ Line string }
		_ = ssh.Unmarshal(req.Payload, &c)
		if !strings.HasPrefix(c.Line, "scp -t ") || strings.Contains(c.Line, " -d") || strings.Contains(c.Line, " -p") {
			_, _ = ch.Write([]byte("\x02Privilege denied.\n"))
			return
		}
		d.mu.Lock()
		d.line = c.Line
		d.mu.Unlock()
		d.sink(ch, done)
		return
	}
}

// say acknowledges, or says what the test wants; false when the server hangs up.
func (d *sinkServer) say(ch ssh.Channel, instead string, n int) bool {
	if d.hangsUp == n {
		return false
	}
	if instead == "" {
		instead = "\x00"
	}
	_, _ = io.WriteString(ch, instead)
	return instead == "\x00"
}

func (d *sinkServer) sink(ch ssh.Channel, done <-chan struct{}) {
	r := bufio.NewReader(ch)
	if !d.say(ch, d.refuse, 1) {
		return
	}
	header, _ := r.ReadString('\n')
	var size int64
	d.mu.Lock()
	_, _ = fmt.Sscanf(header, "C0644 %d %s", &size, &d.name)
	d.mu.Unlock()
	if !d.say(ch, d.header, 2) {
		return
	}
	if d.middle != "" {
		_, _ = io.ReadFull(r, make([]byte, 100))
		_, _ = io.WriteString(ch, d.middle)
		<-done
		return
	}
	content := make([]byte, size+1)
	if _, err := io.ReadFull(r, content); err != nil || content[size] != 0 {
		return
	}
	if d.late != nil {
		<-d.late
	}
	d.mu.Lock()
	d.got = content[:size]
	d.mu.Unlock()
	if d.say(ch, d.last, 3) && d.exit {
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
	}
}

func (d *sinkServer) received() (line, name string, content []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.line, d.name, d.got
}

// pushRig is a lease of a host that behaves like this.
func pushRig(t *testing.T, session func(ssh.Channel, <-chan *ssh.Request, <-chan struct{})) (*Lease, *server) {
	t.Helper()
	r := newRig(t, Options{})
	key := edKey(t)
	s := newServer(t, key)
	s.session = session
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	return r.lease(t, host(t, "sw1", s.address), site()), s
}

func TestSCP(t *testing.T) {
	content := bytes.Repeat([]byte("image\x00"), 100_000)
	for name, d := range map[string]*sinkServer{
		"no exit status": {}, "an exit status": {exit: true}, "late": {late: make(chan struct{})},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := pushRig(t, d.session)
			if d.late != nil {
				time.AfterFunc(50*time.Millisecond, func() { close(d.late) })
			}
			err := pusher{l}.Push(t.Context(), remote.SCP, "flash:image-1.2.bin", bytes.NewReader(content), int64(len(content)))
			line, file, got := d.received()
			if err != nil || line != "scp -t flash:image-1.2.bin" || file != "image-1.2.bin" || !bytes.Equal(got, content) {
				t.Errorf("%v: %q, %q, %d bytes", err, line, file, len(got))
			}
		})
	}
}

func TestSCPRefused(t *testing.T) {
	large := int64(64 << 20) // more than any window holds
	for name, c := range map[string]struct {
		sink *sinkServer
		size int64
		code fault.Code
		text string
	}{
		"not switched on":          {&sinkServer{refuse: "Administratively disabled.\n"}, 10, fault.HostFailed, "Administratively disabled."},
		"fatal at once":            {&sinkServer{refuse: "\x02no such \x1b[31mdevice\n"}, 10, fault.HostFailed, "no such"},
		"a warning at the name":    {&sinkServer{header: "\x01flash: is read-only\n"}, 10, fault.HostFailed, "read-only"},
		"no space in the middle":   {&sinkServer{middle: "\x02No space left on device\n"}, large, fault.HostFailed, "No space left"},
		"a warning at the end":     {&sinkServer{last: "\x01write failed\n"}, 10, fault.HostFailed, "write failed"},
		"an endless line":          {&sinkServer{refuse: "\x02" + strings.Repeat("x", 1<<20)}, 10, fault.HostFailed, "xxx"},
		"hangs up at once":         {&sinkServer{hangsUp: 1}, 10, fault.Lost, "ended"},
		"hangs up before the end":  {&sinkServer{hangsUp: 3}, 10, fault.Lost, "ended"},
		"hangs up before the file": {&sinkServer{hangsUp: 2}, large, fault.Lost, "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := pushRig(t, c.sink.session)
			err := pusher{l}.Push(t.Context(), remote.SCP, "flash:a.bin", io.LimitReader(ones{}, c.size), c.size)
			wantFault(t, err, c.code, c.text)
		})
	}
}

// ones gives bytes without end, and holds none.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 1
	}
	return len(p), nil
}

func TestSCPOfWrongContent(t *testing.T) {
	for name, c := range map[string]struct {
		content io.Reader
		text    string
	}{
		"too short": {strings.NewReader("abc"), "size"},
		"too long":  {strings.NewReader("abcdef"), "size"},
		"damaged":   {io.MultiReader(strings.NewReader("abcde"), rotten{}), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &sinkServer{}
			l, _ := pushRig(t, d.session)
			err := pusher{l}.Push(t.Context(), remote.SCP, "flash:a.bin", c.content, 5)
			if _, _, got := d.received(); err == nil || !strings.Contains(err.Error(), c.text) || got != nil {
				t.Errorf("%v; the device took %q for whole", err, got)
			}
		})
	}
}

type rotten struct{}

func (rotten) Read([]byte) (int, error) { return 0, errors.New("the store's file is damaged") }

func TestPushEndsWithItsContext(t *testing.T) {
	d := &sinkServer{late: make(chan struct{})}
	l, _ := pushRig(t, d.session)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := pusher{l}.Push(ctx, remote.SCP, "flash:a.bin", strings.NewReader("abc"), 3)
	wantFault(t, err, fault.Lost)
	close(d.late)
}

func TestPushRefusesOddPaths(t *testing.T) {
	l, s := pushRig(t, (&sinkServer{}).session)
	for _, path := range []string{"", "-r", "flash:a b", "/tmp/$(reboot)", "/tmp/a;b", "flash:a\nb", "/tmp/'", strings.Repeat("a", 300)} {
		err := pusher{l}.Push(t.Context(), remote.SCP, path, strings.NewReader(""), 0)
		wantFault(t, err, fault.Internal, "not a file to be pushed")
	}
	if s.execs.Load() != 0 {
		t.Error("a command was sent")
	}
}

func TestPushBySFTP(t *testing.T) {
	l, _ := pushRig(t, nil)
	target := filepath.Join(t.TempDir(), "image.bin")
	if err := os.WriteFile(target, []byte("what was there, and is longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (pusher{l}).Push(t.Context(), remote.SFTP, target, io.MultiReader(strings.NewReader("abc"), rotten{}), 3); err == nil {
		t.Error("damaged content was taken")
	}
	if got, err := os.ReadFile(target); err != nil || !strings.HasPrefix(string(got), "what was there") {
		t.Errorf("the file was replaced by half of one: %q %v", got, err)
	}
	if err := (pusher{l}).Push(t.Context(), remote.SFTP, target, strings.NewReader("abc"), 3); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(target)
	left, _ := os.ReadDir(filepath.Dir(target))
	if err != nil || string(got) != "abc" || len(left) != 1 {
		t.Errorf("%q is there, %v; %d files", got, err, len(left))
	}
}

// Dropbear has no SFTP.
func TestPushWithoutSFTP(t *testing.T) {
	l, s := pushRig(t, nil)
	s.noSFTP = true
	err := pusher{l}.Push(t.Context(), remote.SFTP, "/tmp/a", strings.NewReader("abc"), 3)
	wantFault(t, err, fault.HostFailed, "no SFTP")
}

func FuzzReadAck(f *testing.F) {
	for _, seed := range []string{"", "\x00", "\x01warning\n", "\x02fatal", "Administratively disabled.\n", "\x02" + strings.Repeat("x", 2*ackText)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readAck(bytes.NewReader(b))
		if (err != nil) != (len(b) == 0) || len(a.text) > ackText {
			t.Errorf("%v, %d bytes of text", err, len(a.text))
		}
		if (a.status == ackOK) != (len(b) == 0 || b[0] == 0) {
			t.Errorf("%q passes for a good answer", b)
		}
	})
}

// What could not be opened was there before: it stays.
func TestPushRemovesOnlyItsOwn(t *testing.T) {
	l, _ := pushRig(t, nil)
	t.Chdir(t.TempDir())
	if err := os.Mkdir("flash", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := (pusher{l}).Push(t.Context(), remote.SFTP, "flash", strings.NewReader("abc"), 3); err == nil {
		t.Error("a folder was written to")
	}
	if _, err := os.Stat("flash"); err != nil {
		t.Errorf("what was there is gone: %v", err)
	}
	if err := (pusher{l}).Push(t.Context(), remote.SFTP, "half", strings.NewReader("ab"), 3); err == nil {
		t.Error("half a file was taken")
	}
	if _, err := os.Stat("half"); err == nil {
		t.Error("half a file is left")
	}
}
