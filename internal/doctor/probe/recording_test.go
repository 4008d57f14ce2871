package probe

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow answers each question after a second, and counts them.
type slow struct{ asked atomic.Int64 }

func (s *slow) wait(ctx context.Context) *Failure {
	s.asked.Add(1)
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return &Failure{Kind: NotAsked, Text: "over"}
	}
}

func (s *slow) DNS(ctx context.Context, q DNSQuestion) DNSAnswer {
	return DNSAnswer{Failure: s.wait(ctx)}
}
func (s *slow) Web(ctx context.Context, q WebQuestion) WebAnswer {
	return WebAnswer{Failure: s.wait(ctx)}
}
func (s *slow) Mail(ctx context.Context, q MailQuestion) MailAnswer {
	return MailAnswer{Failure: s.wait(ctx)}
}
func (s *slow) TLS(ctx context.Context, q TLSQuestion) TLSAnswer {
	return TLSAnswer{Failure: s.wait(ctx)}
}

// TestRecordingAsksOnce asks the same question from many goroutines.
func TestRecordingAsksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asker := &slow{}
		r := NewRecording(asker)
		began := time.Now()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if a := r.Web(t.Context(), WebQuestion{Method: "GET", URL: "https://nordlys.example/"}); a.Failure != nil {
					t.Errorf("failure %v", a.Failure.Text)
				}
				if a := r.DNS(t.Context(), DNSQuestion{Name: "nordlys.example", Type: "MX"}); a.Failure != nil {
					t.Errorf("failure %v", a.Failure.Text)
				}
			})
		}
		all.Wait()
		if asker.asked.Load() != 2 || time.Since(began) != 2*time.Second {
			t.Errorf("asked %d questions in %v, want 2 in 2 s", asker.asked.Load(), time.Since(began))
		}
	})
}

// TestRecordingWaitsNoLonger lets the time of a caller end who waits for the answer to another's question.
func TestRecordingWaitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecording(&slow{})
		q := MailQuestion{Type: "imap", Host: "imap.nordlys.example", Port: 993}
		first := make(chan MailAnswer)
		go func() { first <- r.Mail(context.Background(), q) }()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		began := time.Now()
		if a := r.Mail(short, q); a.Failure.Known() || time.Since(began) != time.Millisecond {
			t.Errorf("after %v: %+v, want no answer after 1 ms", time.Since(began), a)
		}
		if a := <-first; a.Failure != nil {
			t.Errorf("the first caller: failure %v", a.Failure.Text)
		}
		if a := r.Mail(short, q); a.Failure != nil {
			t.Errorf("a caller without time: failure %v, want the answer that is known", a.Failure.Text)
		}
	})
}

// TestRecordingAlone is over no network.
func TestRecordingAlone(t *testing.T) {
	r := NewRecording(nil)
	q := TLSQuestion{Host: "imap.nordlys.example", Port: 993}
	if a := r.TLS(t.Context(), q); a.Failure.Known() {
		t.Errorf("%+v, want a question that was not asked", a)
	}
	r.PutTLS(q, TLSAnswer{TLS: &TLS{Version: "TLS 1.3"}})
	if a := r.TLS(t.Context(), q); a.Failure != nil || a.TLS.Version != "TLS 1.3" {
		t.Errorf("%+v, want what was put", a)
	}
}
