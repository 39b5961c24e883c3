package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// parseSOPS reads a SOPS file of any kind that it may be: JSON (binary files too), YAML
// or dotenv.
func parseSOPS(raw []byte) (sopsFile, error) {
	switch trimmed := bytes.TrimSpace(raw); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		tree, err := jsonTree(raw)
		if err != nil {
			return sopsFile{}, fmt.Errorf("not JSON: %w", err)
		}
		return structured(tree)
	case dotenvMark.Match(raw):
		return dotenvSOPS(raw)
	}
	tree, err := document.Tree(raw)
	if err != nil {
		return sopsFile{}, fmt.Errorf("not YAML: %w", err)
	}
	return structured(tree)
}

// structured takes the metadata out of a tree.
func structured(tree document.Node) (sopsFile, error) {
	at := slices.IndexFunc(tree.Items, func(n document.Node) bool { return n.Key == "sops" })
	if at < 0 || tree.Tag != "!!map" {
		return sopsFile{}, errors.New("not a SOPS file: there is no sops: in it")
	}
	meta := tree.Items[at]
	tree.Items = slices.Delete(slices.Clone(tree.Items), at, at+1)
	said := func(path string) string { n, _ := lookUp(meta, path); return n.Text }
	if groups, ok := lookUp(meta, "key_groups"); ok && len(groups.Items) > 0 {
		return sopsFile{}, errors.New("its key is split among groups of keys")
	}
	var keys []string
	if recipients, ok := lookUp(meta, "age"); ok {
		for _, r := range recipients.Items {
			enc, _ := lookUp(r, "enc")
			keys = append(keys, enc.Text)
		}
	}
	return newSOPS(tree, keys, said)
}

// newSOPS reads the metadata by name.
func newSOPS(tree document.Node, keys []string, said func(string) string) (sopsFile, error) {
	f := sopsFile{tree: tree, keys: keys, mac: said("mac"), modified: said("lastmodified"), only: strings.EqualFold(said("mac_only_encrypted"), "true")}
	if f.mac == "" || f.modified == "" {
		return f, errors.New("not a SOPS file, or an old one: it has no MAC")
	}
	if said("unencrypted_comment_regex") != "" || said("encrypted_comment_regex") != "" {
		return f, errors.New("comments say what of it is encrypted")
	}
	return f, f.selected.read(said)
}

// dotenvMark is the metadata of a dotenv file.
var dotenvMark = regexp.MustCompile(`(?m)^sops_mac=`)

// dotenvSOPS reads lines NAME=value; a line break in a value is written as \n.
func dotenvSOPS(raw []byte) (sopsFile, error) {
	meta := map[string]string{}
	tree := document.Node{Tag: "!!map"}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return sopsFile{}, errors.New("a line without =")
		}
		value = strings.ReplaceAll(value, `\n`, "\n")
		if own, ok := strings.CutPrefix(name, "sops_"); ok {
			meta[own] = value
		} else {
			tree.Items = append(tree.Items, document.Node{Key: name, Tag: "!!str", Text: value})
		}
	}
	var keys []string
	for i := 0; ; i++ {
		enc, ok := meta[fmt.Sprintf("age__list_%d__map_enc", i)]
		if !ok {
			break
		}
		keys = append(keys, enc)
	}
	return newSOPS(tree, keys, func(name string) string { return meta[name] })
}

// jsonTree reads JSON in the order of the file.
func jsonTree(raw []byte) (document.Node, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	tree, err := jsonNode(dec, 0)
	if err != nil {
		return tree, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return tree, errors.New("something follows it")
	}
	return tree, nil
}

const maxDepth = 100

func jsonNode(dec *json.Decoder, depth int) (document.Node, error) {
	token, err := dec.Token()
	if err != nil || depth == maxDepth {
		return document.Node{}, errors.Join(err, errors.New("it ends early, or is too deep"))
	}
	switch v := token.(type) {
	case json.Delim:
		return jsonItems(dec, v, depth)
	case string:
		return document.Node{Tag: "!!str", Text: v}, nil
	case json.Number: // all of them are floats to sops
		return document.Node{Tag: "!!float", Text: v.String()}, nil
	case bool:
		return document.Node{Tag: "!!bool", Text: strconv.FormatBool(v)}, nil
	}
	return document.Node{Tag: "!!null"}, nil
}

func jsonItems(dec *json.Decoder, open json.Delim, depth int) (document.Node, error) {
	n := document.Node{Tag: "!!seq"}
	if open == '{' {
		n.Tag = "!!map"
	}
	seen := map[string]bool{}
	for dec.More() {
		key := ""
		if open == '{' {
			token, err := dec.Token()
			text, ok := token.(string)
			if err != nil || !ok || seen[text] {
				return n, errors.New("a key that stands twice, or is none")
			}
			key, seen[text] = text, true
		}
		item, err := jsonNode(dec, depth+1)
		if err != nil {
			return n, err
		}
		item.Key = key
		n.Items = append(n.Items, item)
	}
	_, err := dec.Token()
	return n, err
}
