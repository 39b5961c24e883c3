package vault

import (
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// splitKey splits PATH#KEY at the last #.
func splitKey(target string) (path, key string) {
	if at := strings.LastIndexByte(target, '#'); at >= 0 {
		return target[:at], target[at+1:]
	}
	return target, ""
}

// lookUp follows a path of keys with dots between them: db.password, hosts.0.pass. A key
// that itself holds dots is found as well. Where two places answer to one path, none does:
// one of them may have been put there to be taken for the other.
func lookUp(n document.Node, path string) (found document.Node, ok bool) {
	all := places(n, path)
	if len(all) != 1 {
		return document.Node{}, false
	}
	return all[0], true
}

func places(n document.Node, path string) []document.Node {
	var all []document.Node
	for i, item := range n.Items {
		name := item.Key
		if n.Tag == "!!seq" {
			name = strconv.Itoa(i)
		}
		if name == path {
			all = append(all, item)
		} else if rest, ok := strings.CutPrefix(path, name+"."); ok {
			all = append(all, places(item, rest)...)
		}
	}
	return all
}

// isScalar tells a text, number or the like from what holds others.
func isScalar(n document.Node) bool { return n.Tag != "!!map" && n.Tag != "!!seq" && len(n.Items) == 0 }
