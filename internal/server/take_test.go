package server

import "testing"

// TestLongestIdle: the one that has been idle longest makes room, and nobody who
// is not idle.
func TestLongestIdle(t *testing.T) {
	l := newSeated(nil, 4, nil)
	var seats []*seat
	for range 4 {
		s := &seat{listener: l}
		if _, ok := l.take(s); !ok {
			t.Fatal("there is no seat for one of four")
		}
		seats = append(seats, s)
	}
	for _, i := range []int{2, 3, 0} { // in this order, and the second never
		seats[i].rests()
	}
	for _, want := range []*seat{seats[2], seats[3], seats[0], nil} {
		got, ok := l.take(new(seat))
		if ok || got != want {
			t.Fatalf("%p makes room, want %p", got, want)
		}
		if want != nil {
			l.leave(want)
			if _, ok := l.take(&seat{listener: l}); !ok {
				t.Fatal("there is no room")
			}
		}
	}
}
