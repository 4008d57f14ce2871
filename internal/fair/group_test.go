package fair

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestGroup has many callers ask the same question. It is asked once, and also for
// those who stay when the caller who began it leaves.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[string]{Places: New(1, 1, time.Minute)}
		asked := 0
		ask := func() (string, error) {
			asked++
			time.Sleep(time.Second)
			return "yes", nil
		}
		impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		var callers sync.WaitGroup
		callers.Go(func() {
			if _, err := g.Do(impatient, "question", client(1), ask); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the caller who left got the error %v, want that of its context", err)
			}
		})
		synctest.Wait()
		for range 50 {
			callers.Go(func() {
				if got, err := g.Do(t.Context(), "question", client(2), ask); got != "yes" || err != nil {
					t.Errorf("Do = %q, %v, want the answer", got, err)
				}
			})
		}
		callers.Wait()
		if asked != 1 {
			t.Errorf("the question was asked %d times, want once", asked)
		}
		wantTaken(t, g.Places, 0, 0)
		if len(g.calls) != 0 {
			t.Errorf("%d calls are remembered after their end, want none", len(g.calls))
		}
	})
}

// TestGroupDrops leaves a question that waits for its place: it is never asked, and a
// later caller begins a new one.
func TestGroupDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(1, 10, time.Minute)}
		leave := fill(t, g.Places, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go g.Do(ctx, "question", client(1), func() (int, error) {
			t.Error("a question was asked that nobody waited for")
			return 0, nil
		})
		wantTaken(t, g.Places, 1, 1)
		cancel()
		wantTaken(t, g.Places, 1, 0)

		var answer atomic.Int32
		go func() {
			n, err := g.Do(t.Context(), "question", client(1), func() (int, error) { return 7, nil })
			if err != nil {
				t.Errorf("the later caller got the error %v", err)
			}
			answer.Store(int32(n))
		}()
		wantTaken(t, g.Places, 1, 1)
		leave()
		wantTaken(t, g.Places, 0, 0)
		if answer.Load() != 7 {
			t.Errorf("the later caller got %d, want 7", answer.Load())
		}
	})
}

// TestGroupQuick has the caller who begins a question wait for its answer, if there is a
// place for it at once. Others leave when they want.
func TestGroupQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(1, 10, time.Minute), Quick: true}
		work := func() (int, error) { time.Sleep(time.Second); return 7, nil }
		impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		do := func(key string, want int, wantErr error) {
			go func() {
				if got, err := g.Do(impatient, key, nil, work); got != want || !errors.Is(err, wantErr) {
					t.Errorf("%s: Do = %d, %v, want %d, %v", key, got, err, want, wantErr)
				}
			}()
			synctest.Wait()
		}
		do("question", 7, nil)
		do("question", 0, context.DeadlineExceeded)
		do("without a place", 0, context.DeadlineExceeded)
		time.Sleep(time.Minute)
		wantTaken(t, g.Places, 0, 0)
	})
}

// TestGroupPanic has work panic, which a server may recover from: those who wait get an
// error and no empty answer, and the place is free again.
func TestGroupPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(1, 10, time.Minute), Quick: true}
		go func() {
			defer func() { recover() }()
			g.Do(t.Context(), "question", nil, func() (int, error) { time.Sleep(time.Second); panic("a mistake") })
		}()
		synctest.Wait()
		_, err := g.Do(t.Context(), "question", nil, func() (int, error) { return 7, nil })
		if !errors.Is(err, errUnanswered) {
			t.Errorf("one who waits for work that panics gets %v, want %v", err, errUnanswered)
		}
		if got, err := g.Do(t.Context(), "question", nil, func() (int, error) { return 7, nil }); got != 7 ||
			err != nil {
			t.Errorf("Do after work that panicked = %d, %v, want 7", got, err)
		}
		wantTaken(t, g.Places, 0, 0)
	})
}

// TestGroupJoin has a client without places join a question that waits because of
// another client's many: the question gets the next place.
func TestGroupJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(4, 10, time.Minute)}
		leave := fill(t, g.Places, 2, client(1)...)
		leaveToo := fill(t, g.Places, 1, client(2)...)
		leaveOther := fill(t, g.Places, 1)
		var order []string
		do := func(key string, n uint64) {
			go g.Do(t.Context(), key, client(n), func() (int, error) {
				order = append(order, key)
				time.Sleep(time.Second)
				return 0, nil
			})
			synctest.Wait()
		}
		do("of 2", 2)
		do("of 1", 1)
		do("of 1", 3)
		leaveOther()
		time.Sleep(time.Minute / 2)
		synctest.Wait()
		if len(order) != 2 || order[0] != "of 1" {
			t.Errorf("the order is %q, want the question for which the client without places waits first", order)
		}
		leave()
		leaveToo()
		wantTaken(t, g.Places, 0, 0)
	})
}

// TestGroupRefuses refuses a client beyond its share at once, but lets it wait for
// what is asked already.
func TestGroupRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Group[int]{Places: New(10, 10, time.Minute)}
		slow := func() (int, error) { time.Sleep(time.Minute); return 1, nil }
		go g.Do(t.Context(), "question", client(2), slow)
		leave := fill(t, g.Places, 4, client(1)...)
		if _, err := g.Do(t.Context(), "another", client(1), slow); err != ErrClient {
			t.Errorf("a client beyond its share got the error %v, want %v", err, ErrClient)
		}
		if n, err := g.Do(t.Context(), "question", client(1), slow); n != 1 || err != nil {
			t.Errorf("a client beyond its share got %d, %v for what is asked already, want the answer", n, err)
		}
		leave()
		wantTaken(t, g.Places, 0, 0)
	})
}

func TestCaller(t *testing.T) {
	budget := 1
	c := Caller{Kind: Ask, Block: 1, Pay: func() bool { budget--; return budget >= 0 }}
	got := CallerOf(WithCaller(t.Context(), c))
	if got.Kind != Ask || got.Block != 1 || !got.Pays() || got.Pays() {
		t.Errorf("CallerOf = %+v, want the caller that can pay once", got)
	}
	if got := CallerOf(t.Context()); got.Kind != Operator || !got.Pays() || got.Shares(1, 0) != nil {
		t.Errorf("CallerOf a context without a caller = %+v, want the operator", got)
	}
}
