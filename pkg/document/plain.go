package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Plain gives a YAML file as JSON values (maps, lists, texts, float64, bool, nil),
// as an editor sees it that judges the file by its schema. Dates stay texts, as in
// YAML 1.2. Aliases are refused.
func Plain(src []byte) (any, error) {
	dec := yaml.NewDecoder(bytes.NewReader(src))
	root, err := next(dec)
	if err != nil {
		return nil, err
	}
	if _, err := next(dec); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return plainOf(root.Content[0])
}

func plainOf(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return plainMap(n)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := plainOf(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.ScalarNode:
		return plainScalar(n), nil
	}
	return nil, fmt.Errorf("line %d: aliases have no place in JSON", n.Line)
}

func plainMap(n *yaml.Node) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if _, twice := m[key.Value]; twice || key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a key that JSON can't hold", key.Line)
		}
		v, err := plainOf(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[key.Value] = v
	}
	return m, nil
}

func plainScalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if x, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return x
		}
	}
	return n.Value
}
