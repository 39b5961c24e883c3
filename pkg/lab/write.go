package lab

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Inventory is an inventory.yaml of the fleet. Its key is the file "id_ed25519"
// beside it, as Write puts it there.
func (f *Fleet) Inventory() []byte { return f.inventory("id_ed25519") }

func (f *Fleet) inventory(key string) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "# The simulated fleet. It lives as long as the program that printed this.\nversion: 1\ndefaults:\n  user: %s\n  become: sudo\n  credentials: {key: %q}\nhosts:\n", f.spec.user(), key)
	for _, name := range f.names {
		h := f.hosts[name]
		fmt.Fprintf(&out, "  %s:\n    address: 127.0.0.1\n    port: %d\n    groups: [%s]\n    host_keys: [%q]\n",
			name, h.Port(), strings.Join(h.spec.Groups, ", "), ssh.FingerprintSHA256(h.told))
		if h.spec.Unit != "" {
			fmt.Fprintf(&out, "    unit: %s\n", h.spec.Unit)
		}
		if len(h.spec.Via) > 0 {
			fmt.Fprintf(&out, "    via: [%s]\n", strings.Join(h.spec.Via, ", "))
		}
		if h.machine == nil {
			out.WriteString(f.asDevice(key))
		}
	}
	return []byte(out.String())
}

// asDevice are the keys of a host that is a device: it fetches images from here, and
// its secret of enable lies in a file beside the key.
func (f *Fleet) asDevice(key string) string {
	if f.spec.Enable == "" {
		return "    become: none\n    serve: 127.0.0.1\n"
	}
	return fmt.Sprintf("    become: enable\n    serve: 127.0.0.1\n    credentials: {key: %q, enable: %q}\n", key, "file:"+filepath.Join(filepath.Dir(key), "enable"))
}

// KnownHosts is a known_hosts file of the fleet, by address and by name.
func (f *Fleet) KnownHosts() []byte {
	var lines []string
	for _, name := range f.names {
		h := f.hosts[name]
		key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(h.told)))
		lines = append(lines, fmt.Sprintf("[127.0.0.1]:%d,%s %s\n", h.Port(), name, key))
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, ""))
}

// Write puts inventory.yaml, known_hosts and the user's key id_ed25519 into a
// folder, which it makes if need be. The inventory names the key by its full path.
func (f *Fleet) Write(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("the fleet's folder: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(f.client, "patchring lab")
	if err != nil {
		return fmt.Errorf("the user's key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the fleet's folder: %w", err)
	}
	type file struct {
		name    string
		mode    os.FileMode
		content []byte
	}
	key := filepath.Join(dir, "id_ed25519")
	files := []file{
		{key, 0o600, pem.EncodeToMemory(block)},
		{filepath.Join(dir, "known_hosts"), 0o644, f.KnownHosts()},
		{filepath.Join(dir, "inventory.yaml"), 0o644, f.inventory(key)},
	}
	if f.spec.Enable != "" {
		files = append(files, file{filepath.Join(dir, "enable"), 0o600, []byte(f.spec.Enable + "\n")})
	}
	for _, file := range files {
		if err := os.WriteFile(file.name, file.content, file.mode); err != nil {
			return fmt.Errorf("write the fleet's files: %w", err)
		}
	}
	return nil
}
