package provenance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/repository"
)

const (
	maxHead  = 16 << 20  // of what is signed
	maxList  = 256 << 20 // of a list as it lies on the host
	maxVisit = 2 << 30   // of everything that is fetched from one host
	// patience with one file: others may wait for it. And with all files of one host.
	patience      = 5 * time.Minute
	patienceInAll = 20 * time.Minute
)

// visit is one look at the indexes of one host.
type visit struct {
	reader   *Reader
	files    remote.Files
	keys     *Keys
	codename string
	names    []string
	left     int64 // bytes that may still be fetched
	signed   []signed
	problems []string // repositories that do not count, and why
}

// signed is a verified list.
type signed struct {
	index      *repository.Index
	repository string
}

// read verifies one repository. What is wrong with it is noted, and others go on.
func (v *visit) read(ctx context.Context, s source) {
	if err := v.verify(ctx, s); err != nil {
		v.problems = append(v.problems, fmt.Sprintf("%s: %s", remote.Clean(s.repository, 100), remote.Clean(err.Error(), maxReason)))
	}
}

// vouched is a repository down to what is signed, verified.
type vouched struct {
	source
	heads   heads
	release repository.Release // apt only
}

func (v *visit) verify(ctx context.Context, s source) error {
	top := vouched{source: s, heads: heads{}}
	for _, f := range s.small {
		content, err := v.fetch(ctx, f, maxHead)
		if err != nil {
			return err
		}
		top.heads[f.Kind] = content
	}
	var err error
	if top.release, err = top.heads.release(s.family, v.keys.ring, v.options()); err != nil {
		return err
	}
	if other := otherRelease(top.release, v.codename); other != "" {
		return errors.New(other)
	}
	var problems []error
	for _, forms := range s.group() {
		problems = append(problems, v.either(ctx, top, forms))
	}
	return errors.Join(problems...)
}

// either takes the first form of a list that can be verified.
func (v *visit) either(ctx context.Context, top vouched, forms []platform.IndexFile) error {
	var problems []error
	for _, file := range forms {
		x, err := v.list(ctx, top, file)
		if err == nil {
			v.signed = append(v.signed, signed{x, top.name()})
			return nil
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (top vouched) name() string {
	if name := origin(top.release); name != "" {
		return name
	}
	return remote.Clean(top.repository, 200)
}

func (v *visit) options() repository.Options {
	return repository.Options{Now: v.reader.now(), Names: v.names}
}

// list gives the verified list that has this visit's names.
func (v *visit) list(ctx context.Context, top vouched, file platform.IndexFile) (*repository.Index, error) {
	if strings.HasSuffix(file.Path, ".zck") {
		return nil, errChunked
	}
	shared := v.reader.list(top.key(v.keys, file))
	if err := shared.lock(ctx); err != nil {
		return nil, err
	}
	defer shared.unlock()
	if shared.has(v.names) {
		return shared.index, nil
	}
	digest := shared.raw
	if digest == "" || !v.reader.store.Has(digest) {
		var err error
		if digest, err = v.bring(ctx, file, promised(top.family, top.release, file)); err != nil {
			return nil, err
		}
	}
	opt := v.options()
	opt.Names = shared.widened(v.names)
	x, err := v.parse(ctx, digest, func(raw []byte) (*repository.Index, error) {
		return top.heads.verify(top.family, file.Name, raw, v.keys.ring, opt)
	})
	if err != nil {
		return nil, err
	}
	shared.keep(digest, opt.Names, x)
	return x, nil
}

// key is the same for the same keys, the same signed files and the same list of theirs.
// Only apt signs more than one list, and names them.
func (top vouched) key(keys *Keys, file platform.IndexFile) patch.Digest {
	name := ""
	if top.family == apt {
		name = file.Name
	}
	return patch.DigestOf([]byte(keys.id + "\n" + top.heads.id() + name))
}

// parse reads a list from the store. Only so many are in memory at a time.
func (v *visit) parse(ctx context.Context, digest patch.Digest, verify func([]byte) (*repository.Index, error)) (*repository.Index, error) {
	select {
	case v.reader.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-v.reader.slots }()
	raw, err := v.reader.store.Get(digest, maxList)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the content
	}
	return verify(raw)
}

// bring puts a list into the store. Nothing of it is believed because it is there.
func (v *visit) bring(ctx context.Context, f platform.IndexFile, want patch.Digest) (patch.Digest, error) {
	if want != "" && v.reader.store.Has(want) {
		return want, nil
	}
	if want == "" {
		content, err := v.fetch(ctx, f, maxList)
		if err != nil {
			return "", err
		}
		return v.reader.store.Put(content) //nolint:wrapcheck // names the content
	}
	return want, v.get(ctx, f, maxList, func(r io.Reader, limit int64) error {
		return v.reader.store.Take(r, want, limit) //nolint:wrapcheck // names the content
	})
}

func (v *visit) fetch(ctx context.Context, f platform.IndexFile, limit int64) (content []byte, err error) {
	err = v.get(ctx, f, limit, func(r io.Reader, limit int64) error {
		content, err = io.ReadAll(io.LimitReader(r, limit+1))
		if err == nil && int64(len(content)) > limit {
			err = repository.ErrTooBig
		}
		return err
	})
	return content, err
}

// get opens a file of the host, which said how large it is.
func (v *visit) get(ctx context.Context, f platform.IndexFile, limit int64, take func(io.Reader, int64) error) error {
	limit = min(limit, v.left, f.Size)
	if f.Size > limit {
		return fmt.Errorf("%s: %w", f.Name, repository.ErrTooBig)
	}
	v.left -= limit
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	content, err := v.files.Get(ctx, f.Path, limit)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	if err := errors.Join(take(content, limit), content.Close()); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}
