package connect

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

// The inventory wins; ssh_config fills the rest.
func TestRouteFromSSHConfig(t *testing.T) {
	r := newRig(t, Options{SSHConfig: configFile(t, "Host web\n HostName 10.1.1.1\n Port 2222\n User deploy\n ProxyJump b1\n"+
		"Host b1\n HostName 10.2.2.2\n User ops\nHost 10.9.9.9\n User byaddress\n HostName 10.6.6.6\n")})
	h := host(t, "web", "x:1")
	h.Address, h.Port, h.User, h.Jump = "", 0, "", nil
	w, err := r.route(t.Context(), h, site())
	if err != nil || w.host.address != "10.1.1.1:2222" || w.host.user != "deploy" || len(w.hops) != 1 || w.hops[0].address != "10.2.2.2:22" || w.hops[0].user != "ops" {
		t.Errorf("%+v, %v", w, err)
	}
	h.Address, h.Port, h.Jump = "10.9.9.9", 22, []string{}
	w, err = r.route(t.Context(), h, site())
	if err != nil || w.host.address != "10.9.9.9:22" || w.host.user != "byaddress" || len(w.hops) != 0 {
		t.Errorf("%+v, %v", w, err)
	}
}

// A bastion that ssh_config reaches through another is reached so, as with ssh -J.
func TestBastionsBehindBastions(t *testing.T) {
	r := newRig(t, Options{SSHConfig: configFile(t, "Host b1\n ProxyJump b0\nHost b2\n ProxyJump nowhere\nHost c1\n ProxyJump c2\nHost c2\n ProxyJump c1\nHost p\n ProxyCommand x\n")})
	h := host(t, "web", "10.0.0.1:22")
	h.Jump = []string{"b1", "u@b2:99"}
	w, err := r.route(t.Context(), h, site())
	if err != nil {
		t.Fatal(err)
	}
	var hops []string
	for _, hop := range w.hops {
		hops = append(hops, hop.address)
	}
	if !slices.Equal(hops, []string{"b0:22", "b1:22", "b2:99"}) || w.host.via == w.hops[2].via || w.hops[0].via != "" {
		t.Errorf("%v, %+v", hops, w)
	}
	for _, jump := range []string{"c1", "p"} {
		h.Jump = []string{jump}
		if _, err := r.route(t.Context(), h, site()); fault.CodeOf(err) != fault.Unsupported {
			t.Errorf("%s: %v", jump, err)
		}
	}
}

func TestProxyCommandIsRefused(t *testing.T) {
	r := newRig(t, Options{SSHConfig: configFile(t, "Host *\n ProxyCommand corkscrew\n")})
	h := host(t, "web", "127.0.0.1:1")
	h.Jump = nil
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Unsupported, "ProxyCommand", "jump:")
	h.Jump = []string{}
	_, err = r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Unreachable)
}

// ssh itself sees only what nobody else can have written.
func TestWhichFilesAreShownToSSH(t *testing.T) {
	me := somebody(t)
	me.home, me.account = t.TempDir(), ""
	me.account = me.home
	dir := filepath.Join(me.home, ".ssh")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(path, text string, mode fs.FileMode) string {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shared := put(filepath.Join(t.TempDir(), "shared"), "User u\n", 0o666)
	for _, c := range []struct {
		name, path, why, fails string
		account                string
	}{
		{name: "the user's own", path: put(filepath.Join(dir, "config"), "User u\n", 0o600)},
		{name: "another home", path: filepath.Join(dir, "config"), account: dir, why: "HOME"},
		{name: "brought along", path: put(filepath.Join(t.TempDir(), "ssh_config"), "User u\n", 0o600), why: "not in ~/.ssh"},
		{name: "climbing out", path: dir + "/../elsewhere", why: "not in ~/.ssh"},
		{name: "others can write", path: put(filepath.Join(dir, "open"), "User u\n", 0o622), why: "others can write"},
		{name: "includes what others can write", path: put(filepath.Join(dir, "includes"), "Include "+shared+"\n", 0o600), fails: "chmod go-w"},
		{name: "includes who knows what", path: put(filepath.Join(dir, "odd"), "Host a\nInclude ~bob/x\n", 0o600), why: "can't be told"},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := me
			if c.account != "" {
				who.account = c.account
			}
			put(filepath.Join(me.home, "elsewhere"), "User u\n", 0o600)
			got, err := openSSHConfig(c.path, who, func(string) {})
			switch {
			case c.fails != "":
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Error(err)
			case !strings.Contains(got.why, c.why), c.why == "" && got.ssh == nil && got.why != "there is no ssh here", c.why != "" && got.ssh != nil:
				t.Errorf("why %q, asks %t", got.why, got.ssh != nil)
			}
		})
	}
	put(filepath.Join(dir, "config"), "User u\n", 0o660)
	if _, err := openSSHConfig(filepath.Join(dir, "config"), me, func(string) {}); err == nil {
		t.Error("OpenSSH would not read this file")
	}
}
