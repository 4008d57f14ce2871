package account

import (
	"testing"
	"time"
)

func TestNoticeActive(t *testing.T) {
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
			t.Errorf("notice from %v until %v: Active(%v) = %v, want %v",
				test.n.From, test.n.Until, test.at, got, test.want)
		}
	}
}

func TestContactIsZero(t *testing.T) {
	if !(Contact{}).IsZero() {
		t.Error("the zero Contact is not IsZero")
	}
	for _, c := range []Contact{{URL: "https://example.com"}, {Email: "help@example.com"}, {Phone: "1"}} {
		if c.IsZero() {
			t.Errorf("%+v is IsZero", c)
		}
	}
}
