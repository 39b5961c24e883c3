package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// Node is a value of a YAML file as it is written, in the order of the file: for files
// that are other programs', whose digests depend on it.
type Node struct {
	Key   string // of a mapping's item
	Tag   string // short: !!str, !!map, !!seq, !!int, …, or the file's own, such as !vault
	Text  string // of a scalar
	Items []Node // of a mapping or a sequence
}

// maxDepth bounds how deep a Tree is.
const maxDepth = 100

// Tree reads a YAML file that is another program's. Aliases, keys that are no scalars,
// keys that stand twice and a second document are refused.
func Tree(src []byte) (Node, error) {
	if len(src) > MaxBytes {
		return Node{}, fmt.Errorf("larger than %d MiB", MaxBytes>>20)
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	root, err := next(dec)
	if err != nil {
		return Node{}, err
	}
	if _, err := next(dec); !errors.Is(err, io.EOF) {
		return Node{}, errors.New("more than one document")
	}
	return treeOf("", root.Content[0], 0)
}

func treeOf(key string, n *yaml.Node, depth int) (Node, error) {
	out := Node{Key: key, Tag: n.ShortTag(), Text: n.Value}
	if depth == maxDepth {
		return out, fmt.Errorf("line %d: deeper than %d levels", n.Line, maxDepth)
	}
	var err error
	switch n.Kind {
	case yaml.MappingNode:
		out.Items, err = treeMap(n, depth)
	case yaml.SequenceNode:
		for _, c := range n.Content {
			item, err := treeOf("", c, depth+1)
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, item)
		}
	case yaml.ScalarNode:
	default:
		err = fmt.Errorf("line %d: an alias", n.Line)
	}
	return out, err
}

func treeMap(n *yaml.Node, depth int) ([]Node, error) {
	items := make([]Node, 0, len(n.Content)/2)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" || seen[key.Value] {
			return nil, fmt.Errorf("line %d: a key that stands twice, or is no text", key.Line)
		}
		seen[key.Value] = true
		item, err := treeOf(key.Value, n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}
