package setup

import (
	"math"
	"testing"
)

func TestColour(t *testing.T) {
	for text, want := range map[string]string{"#1a56b0": "#1a56b0", "#1A56B0": "#1a56b0", "#15b": "#1155bb"} {
		if c, ok := ParseColour(text); !ok || c.String() != want {
			t.Errorf("ParseColour(%q) = %v, %v, want %s", text, c, ok, want)
		}
	}
	for _, text := range []string{"", "#", "red", "1a56b0", "#1a56b", "#1a56bg", "#+1a56b", "#12345678"} {
		if c, ok := ParseColour(text); ok {
			t.Errorf("ParseColour(%q) = %v, want an error", text, c)
		}
	}
	// The ratios of WCAG's own examples, which every checker gives.
	for _, test := range []struct {
		a, b string
		want float64
	}{
		{"#000", "#fff", 21}, {"#fff", "#fff", 1}, {"#777", "#fff", 4.48}, {"#767676", "#fff", 4.54}, {"#f00", "#fff", 4},
	} {
		a, _ := ParseColour(test.a)
		b, _ := ParseColour(test.b)
		if got := a.Contrast(b); math.Abs(got-test.want) > 0.005 || b.Contrast(a) != got {
			t.Errorf("contrast of %s on %s = %.3f, want %.2f", a, b, got, test.want)
		}
	}
}
