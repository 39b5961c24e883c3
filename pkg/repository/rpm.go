package repository

import (
	"fmt"
)

// RPMSource are the bytes of one rpm-md repository (dnf, zypper): repomd.xml, its
// detached signature repomd.xml.asc, and the lists, compressed or not. Zchunk files
// (.zck) have to be unpacked first.
type RPMSource struct {
	Repomd, Signature []byte
	Primary           []byte // primary.xml
	Updateinfo        []byte // updateinfo.xml; may be left out
}

// RPM verifies one rpm-md repository: the keys' signature over repomd.xml, each list
// against the checksum there. Many vendors sign their packages and not this index; it
// is then the host's word, as Problem says. A list that is not as repomd.xml has it
// is an error in any case. An xml:base of a package is not followed: Entry.File is
// what the list calls its location.
func RPM(keys *Keyring, src RPMSource, opt Options) (*Index, error) {
	x := &Index{}
	x.settle(keys.Verify(src.Repomd, src.Signature, opt.Now))
	listed, err := parseRepomd(src.Repomd)
	if err != nil {
		return nil, err
	}
	if src.Primary != nil {
		if err := matchRepomd(listed, "primary", src.Primary); err != nil {
			return nil, err
		}
		if err := readPrimary(open(src.Primary, maxInflated), opt.wanted(), x.add); err != nil {
			return nil, err
		}
	}
	if src.Updateinfo != nil {
		if err := matchRepomd(listed, "updateinfo", src.Updateinfo); err != nil {
			return nil, err
		}
		x.Advisories, err = readUpdateinfo(open(src.Updateinfo, maxInflated), opt.wanted())
	}
	return x, err
}

// matchRepomd holds a list against its entry. Repositories that also offer a list as
// zchunk have it under a second type; its content is the same.
func matchRepomd(listed map[string]repomdData, kind string, file []byte) error {
	data, known := listed[kind]
	if !known {
		return fmt.Errorf("%s: %w", kind, ErrUnlisted)
	}
	err := data.matches(file)
	if chunked, also := listed[kind+"_zck"]; err != nil && also && chunked.matches(file) == nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}
