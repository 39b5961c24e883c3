package patch_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
)

func TestParseDigestRefusesWhatCouldLeaveAFolder(t *testing.T) {
	good := patch.DigestOf([]byte("x"))
	if d, err := patch.ParseDigest(string(good)); err != nil || d != good {
		t.Errorf("%q, %v", d, err)
	}
	hexes := strings.TrimPrefix(string(good), "sha256:")
	for _, bad := range []string{"", hexes, "sha256:", "sha256:../../etc/passwd", "sha256:" + strings.ToUpper(hexes), "sha512:" + hexes, string(good) + "0"} {
		if _, err := patch.ParseDigest(bad); err == nil {
			t.Errorf("ParseDigest(%q) must fail", bad)
		}
	}
}

func TestTriZeroIsUnknownAndTextRoundTrips(t *testing.T) {
	var zero patch.Tri
	if zero != patch.Unknown || zero.String() != "unknown" {
		t.Error("could-not-tell must be the zero value")
	}
	for _, v := range []patch.Tri{patch.Unknown, patch.No, patch.Yes} {
		b, _ := v.MarshalText()
		var back patch.Tri
		if err := back.UnmarshalText(b); err != nil || back != v {
			t.Errorf("%v → %s → %v, %v", v, b, back, err)
		}
	}
	if err := new(patch.Tri).UnmarshalText([]byte("maybe")); err == nil {
		t.Error("maybe is no answer")
	}
}
