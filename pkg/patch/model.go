package patch

import (
	"path"
	"strings"
)

// MatchModel tells whether a model fits a shell glob of Image.Models; a slash in a model is
// a letter like others. A malformed glob matches nothing.
func MatchModel(glob, model string) bool {
	flat := strings.NewReplacer("/", "\x01")
	is, err := path.Match(flat.Replace(glob), flat.Replace(model))
	return is && err == nil
}
