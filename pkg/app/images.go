package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/store"
)

// maxImage bounds the file of an image.
const maxImage = 64 << 30

// images takes the files of those image entries into the store that any host of the
// plan may get: each is read once, and must have the digest that the playbook names.
func (e Env) images(ctx context.Context, o Options, f *fleet, book *playbook.Playbook, site string) (map[string]patch.Image, error) {
	wanted, err := o.wantedImages(f.inv, book, site)
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	shelf, closed, err := o.makeStore()
	if err != nil {
		return nil, err
	}
	defer closed()
	found, kept := map[string]patch.Image{}, map[string]store.Image{}
	for _, image := range wanted {
		if _, read := kept[image.File]; !read {
			e.say("reading the image %s", image.File)
			if kept[image.File], err = takeImage(ctx, shelf, book.Path, image); err != nil {
				return nil, err
			}
		}
		if err := isThat(kept[image.File], image); err != nil {
			return nil, err
		}
		found[image.File] = imageOf(kept[image.File], image)
	}
	return found, nil
}

func imageOf(kept store.Image, image *playbook.Image) patch.Image {
	return patch.Image{
		Version: image.Version, Name: filepath.Base(image.File), Digest: kept.Digest, Size: kept.Size,
		MD5: kept.MD5, SHA1: kept.SHA1, SHA512: kept.SHA512, Models: image.Models,
	}
}

// wantedImages are the image entries with hosts in this site. One file is one version.
func (o Options) wantedImages(inv *inventory.Inventory, book *playbook.Playbook, site string) ([]*playbook.Image, error) {
	var out []*playbook.Image
	for _, p := range book.Patches {
		if p.Image == nil {
			continue
		}
		hosts, err := Options{Site: site, Limit: o.Limit}.selected(inv, p.Hosts)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(i *playbook.Image) bool { return i.File == p.Image.File && i.Version != p.Image.Version }) {
			return nil, fault.Usagef("give each version its own file", "the file %s stands under two versions in the playbook", p.Image.File)
		}
		if len(hosts) > 0 {
			out = append(out, p.Image)
		}
	}
	return out, nil
}

// takeImage keeps one file.
func takeImage(ctx context.Context, shelf *store.Store, book string, image *playbook.Image) (store.Image, error) {
	path := image.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(book), path)
	}
	file, err := os.Open(path) //nolint:gosec // a file that the playbook's author names
	if err != nil {
		return store.Image{}, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "the image " + image.File + " can't be read", Hint: "put the vendor's file there, or correct file in the image entry of " + book, Err: err}
	}
	defer func() { _ = file.Close() }() // it was only read
	kept, err := shelf.Import(stoppable{ctx, file}, maxImage)
	if err != nil {
		return store.Image{}, fmt.Errorf("take the image %s: %w", image.File, err)
	}
	return kept, nil
}

// isThat compares a file with what the playbook says of it.
func isThat(kept store.Image, want *playbook.Image) error {
	for _, sum := range []struct{ kind, have, want string }{{"sha512", kept.SHA512, want.SHA512}, {"sha256", kept.SHA256, want.SHA256}} {
		if sum.want != "" && sum.have != sum.want {
			return fault.Usagef("fetch it again from the vendor, and compare the digest with the one on the vendor's page",
				"the image %s is not what the playbook says: its %s is %s…, and the playbook has %s…", want.File, sum.kind, sum.have[:16], sum.want[:16])
		}
	}
	if kept.Size == 0 {
		return fault.Usagef("fetch it again from the vendor", "the image %s is empty", want.File)
	}
	return nil
}

// stoppable reads until its context is over.
type stoppable struct {
	ctx  context.Context //nolint:containedctx // it lives as long as one read of a file
	from io.Reader
}

func (s stoppable) Read(b []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, errors.New("stopped")
	}
	return s.from.Read(b) //nolint:wrapcheck // a reader's errors are the inner reader's
}
