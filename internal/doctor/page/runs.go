package page

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"signpost/internal/doctor"
)

// The limits of the page.
const (
	maxRunning   = 4 // diagnoses at a time, one for each domain
	maxPerMinute = 10
	maxKept      = 4                // of those that have ended, the last
	keepFor      = 10 * time.Minute // after the end
)

// run is a diagnosis that was started.
type run struct {
	id      string
	request Request
	started time.Time

	mu       sync.Mutex
	progress doctor.Progress
	report   *doctor.Report // nil while it runs
	err      error
	ended    bool
}

// runs are the diagnoses that run, and the last that have ended.
type runs struct {
	ctx context.Context

	mu     sync.Mutex
	byID   map[string]*run
	ended  []*run      // in the order in which they ended
	starts []time.Time // in the last minute
}

func newRuns(ctx context.Context) *runs { return &runs{ctx: ctx, byID: map[string]*run{}} }

// refusal is the error for a diagnosis that is not started now.
type refusal struct {
	text  string
	after time.Duration
}

func (r *refusal) Error() string { return r.text }

// start starts a diagnosis, or returns a *refusal.
func (rs *runs) start(request Request, diagnose Diagnose) (*run, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if err := rs.refuses(request); err != nil {
		return nil, err
	}
	r := &run{id: rand.Text(), request: request, started: time.Now()}
	rs.starts = append(rs.starts, r.started)
	rs.byID[r.id] = r
	go func() {
		report, err := diagnose(rs.ctx, request, r.setProgress)
		r.end(report, err)
		rs.keep(r)
	}()
	return r, nil
}

// refuses returns a *refusal if a diagnosis must not start now.
func (rs *runs) refuses(request Request) error {
	now := time.Now()
	for len(rs.starts) > 0 && now.Sub(rs.starts[0]) >= time.Minute {
		rs.starts = rs.starts[1:]
	}
	if len(rs.starts) >= maxPerMinute {
		text := fmt.Sprintf("%d diagnoses were started in the last minute, which is the most.", maxPerMinute)
		return &refusal{text + " Try again in a moment.",
			time.Minute - now.Sub(rs.starts[0]) + time.Second}
	}
	running := 0
	for _, r := range rs.byID {
		if r.hasEnded() {
			continue
		}
		if r.request.Address.Domain() == request.Address.Domain() {
			return &refusal{"This domain is being diagnosed at this moment. Try again in a minute.", time.Minute}
		}
		running++
	}
	if running >= maxRunning {
		return &refusal{fmt.Sprintf("%d diagnoses are under way, which is the most. Try again in a minute.",
			maxRunning),
			time.Minute}
	}
	return nil
}

// find returns a diagnosis by its identifier, nil if there is none.
func (rs *runs) find(id string) *run {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.byID[id]
}

// keep keeps a diagnosis that has ended for a while, and drops the oldest if there are too many.
func (rs *runs) keep(r *run) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.ended = append(rs.ended, r)
	if len(rs.ended) > maxKept {
		rs.drop(rs.ended[0])
	}
	time.AfterFunc(keepFor, func() {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		rs.drop(r)
	})
}

// drop forgets a diagnosis that has ended.
func (rs *runs) drop(r *run) {
	delete(rs.byID, r.id)
	for i, other := range rs.ended {
		if other == r {
			rs.ended = append(rs.ended[:i:i], rs.ended[i+1:]...)
			return
		}
	}
}

func (r *run) setProgress(p doctor.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = p
}

func (r *run) end(report *doctor.Report, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report, r.err, r.ended = report, err, true
}

func (r *run) hasEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}
