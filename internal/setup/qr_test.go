package setup

import (
	"strings"
	"testing"

	"rsc.io/qr"
	"rsc.io/qr/coding"
)

// TestEncode: with the plans kept, codes are those that the library makes.
func TestEncode(t *testing.T) {
	for length := 1; length <= maxCode; length++ {
		text := "https://" + strings.Repeat("x", length)
		got, err := encode(coding.String(text))
		if err != nil {
			t.Fatal(err)
		}
		want, err := qr.Encode(text, qr.M)
		if err != nil {
			t.Fatal(err)
		}
		if got.Size != want.Size || string(got.Bitmap) != string(want.Bitmap) {
			t.Errorf("%d octets: the code is another", len(text))
		}
	}
}
