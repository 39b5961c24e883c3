// Package secret holds the types that keep passwords and keys out of everything that
// is written down: Ref names where a secret is to be had, Secret carries its value but
// shows it to no format, log or marshal path, and Filter takes values that are known
// out of what others have written.
package secret

import (
	"fmt"
	"log/slog"
)

// Hidden is what every output path prints instead of the value.
const Hidden = "[secret]"

// Secret is a resolved value. It has no exported way to text except Reveal, so
// that a grep for Reveal finds every place where a secret leaves the type.
// The zero value is "no secret".
type Secret struct{ box *box }

// box holds the value in a closure: printers that walk unexported fields by reflection
// come to a function, and can't look into it.
type box struct{ open func() string }

// New wraps a value. The empty string is a secret too (an empty passphrase);
// only the zero Secret counts as absent.
func New(value string) Secret { return Secret{&box{func() string { return value }}} }

// Reveal returns the value. Call it only where the value is about to be written
// to the peer that asked for it.
func (s Secret) Reveal() string {
	if s.box == nil {
		return ""
	}
	return s.box.open()
}

// Set tells whether there is a secret at all.
func (s Secret) Set() bool { return s.box != nil }

// String hides the value, and so do all the other roads from a value to text.
func (s Secret) String() string { return Hidden }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return Hidden }

// Format hides the value from every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Hidden)) }

// MarshalText hides the value from encoders of text: XML, CSV, flags, map keys.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// MarshalBinary hides the value from encoding/gob and its like.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(Hidden), nil }

// MarshalJSON hides the value from encoding/json.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Hidden + `"`), nil }

// MarshalYAML hides the value from YAML encoders.
func (s Secret) MarshalYAML() (any, error) { return Hidden, nil }

// LogValue hides the value from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Hidden) }
