// Package secret holds the two types that keep passwords and keys out of
// everything that is written down: Ref names where a secret is to be had, and
// Secret carries its value but shows it to no format, log or marshal path.
package secret

import (
	"fmt"
	"log/slog"
)

// hidden is what every output path prints instead of the value.
const hidden = "[secret]"

// Secret is a resolved value. It has no exported way to text except Reveal, so
// that a grep for Reveal finds every place where a secret leaves the type.
// The zero value is "no secret".
type Secret struct{ value *string }

// New wraps a value. The empty string is a secret too (an empty passphrase);
// only the zero Secret counts as absent.
func New(value string) Secret { return Secret{value: &value} }

// Reveal returns the value. Call it only where the value is about to be written
// to the peer that asked for it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Set tells whether there is a secret at all.
func (s Secret) Set() bool { return s.value != nil }

// String hides the value, and so do all the other roads from a value to text.
func (s Secret) String() string { return hidden }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return hidden }

// Format hides the value from every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText hides the value from encoders of text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON hides the value from encoding/json.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalYAML hides the value from YAML encoders.
func (s Secret) MarshalYAML() (any, error) { return hidden, nil }

// LogValue hides the value from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
