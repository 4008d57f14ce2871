package doctor

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"signpost/internal/doctor/probe"
)

// watch stands between the recording and the network. It keeps what was asked, with time
// and outcome, and disguises the mailbox before servers that it is no business of.
type watch struct {
	asker    probe.Asker
	disguise *disguise // nil if nothing is to be hidden
	progress func(Progress)
	started  time.Time

	mu       sync.Mutex
	now      Progress
	requests []request
	byKey    map[probe.Key]int
	mails    []mail
	dns      int // answers of the resolver, validated or not
	dead     int // of these, failures
	missed   []NotAsked
}

// request is a question that was put to the network.
type request struct {
	label   string // the question as it was put, for people
	begun   time.Duration
	took    time.Duration
	address netip.Addr
	outcome string // in a few words
	unknown bool
}

// mail is a mail server's answer with its question.
type mail struct {
	probe.MailQuestion
	probe.MailAnswer
}

func newWatch(o Options) *watch {
	w := &watch{asker: o.Asker, progress: o.Progress, started: time.Now(), byKey: map[probe.Key]int{}}
	if !o.Real {
		w.disguise = newDisguise(o.Address)
	}
	return w
}

// DNS implements probe.Asker.
func (w *watch) DNS(ctx context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	begun := time.Since(w.started)
	a := w.asker.DNS(ctx, q)
	w.note(q.Key(), string(q.Key()), begun, a.Took, netip.Addr{}, a.Failure, describeDNS(a))
	if q.View == probe.Recursive || q.View == probe.Unchecked {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.dns++
		if a.Failure != nil {
			w.dead++
		}
	}
	return a
}

// Web implements probe.Asker.
func (w *watch) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	begun := time.Since(w.started)
	put := q
	if w.disguise.cannotHide(q) {
		a := probe.WebAnswer{Failure: &probe.Failure{Kind: probe.Forbidden,
			Text: "it would tell a server outside the domain whose mailbox it is, which -real allows"}}
		w.note(q.Key(), "a URL outside the domain that names the mailbox", begun, 0, netip.Addr{},
			a.Failure, "not asked")
		return a
	}
	if w.disguise.hides(q) {
		put = w.disguise.question(q)
	}
	a := w.asker.Web(ctx, put)
	if put != q {
		a = w.disguise.answer(a)
	}
	w.note(q.Key(), label(put), begun, a.Took, a.Address, a.Failure, describeWeb(a))
	return a
}

// Mail implements probe.Asker.
func (w *watch) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	begun := time.Since(w.started)
	a := w.asker.Mail(ctx, q)
	w.note(q.Key(), string(q.Key()), begun, a.Took, a.Address, a.Failure, describeMail(a))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mails = append(w.mails, mail{q, a})
	return a
}

// TLS implements probe.Asker.
func (w *watch) TLS(ctx context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	begun := time.Since(w.started)
	a := w.asker.TLS(ctx, q)
	w.note(q.Key(), string(q.Key()), begun, a.Took, a.Address, a.Failure, describeTLS(a.TLS, a.Failure))
	return a
}

// note keeps a request: the key of the question as it was asked here, and the label of the
// one that was put.
func (w *watch) note(
	asked probe.Key, put string, begun, took time.Duration, at netip.Addr, failure *probe.Failure, outcome string,
) {
	if took == 0 {
		took = time.Since(w.started) - begun
	}
	w.mu.Lock()
	w.byKey[asked] = len(w.requests)
	w.requests = append(w.requests, request{put, begun, took, at, outcome, !failure.Known()})
	if !failure.Known() {
		w.missed = append(w.missed, NotAsked{What: put, Why: failure.Text})
	}
	w.now.Requests++
	now := w.now
	w.mu.Unlock()
	w.tell(now)
}

// miss notes that something could not be known.
func (w *watch) miss(what, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.missed = append(w.missed, NotAsked{What: what, Why: why})
}

// phase begins a phase with n parts.
func (w *watch) phase(name string, n int) {
	w.mu.Lock()
	w.now.Phase, w.now.Done, w.now.Of = name, 0, n
	now := w.now
	w.mu.Unlock()
	w.tell(now)
}

// done counts a part of the phase.
func (w *watch) done() {
	w.mu.Lock()
	w.now.Done++
	now := w.now
	w.mu.Unlock()
	w.tell(now)
}

func (w *watch) tell(p Progress) {
	if w.progress != nil {
		w.progress(p)
	}
}
