package workflow

import (
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// hash is the best way to compute a digest that both sides know, and the digest that must
// come out.
func (t *task) hash() (way device.Hash, want string) {
	for _, way := range t.def.Hash {
		if want := strings.ToLower(t.digest(way.Kind)); want != "" {
			return way, want
		}
	}
	if t.wrong == nil && t.def.Unhashed != "" {
		t.wrong = refuse("this workflow installs nothing that was not checked on the device", "%s", t.def.Unhashed)
	}
	if t.wrong == nil {
		t.wrong = refuse("name the vendor's digest in the playbook", "no digest of %s is known that a %s can compute", t.image.Name, t.def.Title)
	}
	return device.Hash{}, ""
}

func (t *task) digest(kind string) string {
	switch kind {
	case "sha512":
		return t.image.SHA512
	case "sha256":
		return strings.TrimPrefix(string(t.image.Digest), "sha256:")
	case "sha1":
		return t.image.SHA1
	case "md5":
		return t.image.MD5
	case "size":
		return strconv.FormatInt(t.image.Size, 10)
	}
	return ""
}

func (t *task) hashTime() time.Duration {
	way, _ := t.hash()
	return max(way.Timeout, lookBriefly)
}

// looksStaged sees whether the whole file is there. On names values of a member.
func (t *task) looksStaged(on device.Values) platform.Look {
	way, want := t.hash()
	at := t.there(t.transfer(), on)
	present, digest := t.present(on), ask{cmd: t.fill(way.Cmd, at), within: way.Timeout}
	return t.look(func(v *view) platform.Standing {
		out, answered := v.out[digest.cmd]
		have, read := t.p.ReadHash(way, out)
		size, there := t.sizeThere(v, present)
		switch {
		case answered && read && have == want:
			return done("the device computed " + way.Kind + " " + want)
		case present.cmd != "" && !there, present.cmd == "" && !answered:
			return notDone(t.image.Name + " is not there")
		case size >= 0 && there && size != t.image.Size:
			return notDone("only a part of " + t.image.Name + " is there")
		case answered && read:
			return failed("the device computed another " + way.Kind + " of " + t.image.Name + " than the playbook names: " + have +
				". Nothing is installed; remove the file from the device")
		}
		return unknown("the device did not compute the " + way.Kind + " of " + t.image.Name)
	}, present, digest)
}
