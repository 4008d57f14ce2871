package account

import (
	"math"
	"testing"
	"time"
)

func TestNoticeMatters(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2009, time.September, d, 0, 0, 0, 0, time.UTC) }
	n := Notice{From: day(7), Until: day(9)}
	for _, test := range []struct {
		at   time.Time
		n    Notice
		want bool
	}{
		{day(7).Add(-time.Second), n, false},
		{day(7), n, true},
		{day(9).Add(-time.Second), n, true},
		{day(9), n, false},
		{day(1), Notice{}, true},
		{day(1), Notice{Until: day(2)}, true},
		{day(3), Notice{From: day(2)}, true},
		{day(1), Notice{From: day(2)}, false},
	} {
		if got := test.n.Active(test.at); got != test.want {
			t.Errorf("%v from %v until %v: got %v", test.at, test.n.From, test.n.Until, got)
		}
	}
}

func TestColour(t *testing.T) {
	for text, want := range map[string]string{"#1a56b0": "#1a56b0", "#1A56B0": "#1a56b0", "#15b": "#1155bb"} {
		if c, ok := ParseColour(text); !ok || c.String() != want {
			t.Errorf("%s: got %v, %v", text, c, ok)
		}
	}
	for _, text := range []string{"", "#", "red", "1a56b0", "#1a56b", "#1a56bg", "#+1a56b", "#12345678"} {
		if c, ok := ParseColour(text); ok {
			t.Errorf("%q: got %v, want none", text, c)
		}
	}
	// Ratios that WCAG's own examples and every checker give.
	for _, test := range []struct {
		a, b string
		want float64
	}{
		{"#000", "#fff", 21}, {"#fff", "#fff", 1}, {"#777", "#fff", 4.48}, {"#767676", "#fff", 4.54}, {"#f00", "#fff", 4},
	} {
		a, _ := ParseColour(test.a)
		b, _ := ParseColour(test.b)
		if got := a.Contrast(b); math.Abs(got-test.want) > 0.005 || b.Contrast(a) != got {
			t.Errorf("%s on %s: got %.3f, want %.2f", a, b, got, test.want)
		}
	}
}
