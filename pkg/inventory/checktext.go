package inventory

import "github.com/patchring/patchring/pkg/fault"

// The checks of single texts, for those who write inventories (package imports).

// CheckName tells whether text can name a host, group or site.
func CheckName(text string) error {
	if !goodName(text) {
		return fault.Usagef("letters, digits and . _ -, not beginning with a dot or hyphen, not all or ungrouped", "not a name")
	}
	return nil
}

// CheckAddress tells whether text is an IP address or DNS name.
func CheckAddress(text string) error { return checkAddress(text) }

// CheckUser tells whether text can be a login name.
func CheckUser(text string) error { return new(user).UnmarshalText([]byte(text)) }

// CheckHop tells whether text is a bastion: [user@]host[:port].
func CheckHop(text string) error { return new(hop).UnmarshalText([]byte(text)) }

// CheckTimezone tells whether text is an IANA time zone.
func CheckTimezone(text string) error { return new(zone).UnmarshalText([]byte(text)) }

// CheckKey tells whether text is the path of a key file.
func CheckKey(text string) error { return new(keyPath).UnmarshalText([]byte(text)) }

// Expand gives the names that a range such as web-[01:04] stands for.
func Expand(text string) ([]string, error) { return expand(text) }
