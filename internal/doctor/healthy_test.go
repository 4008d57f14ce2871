package doctor

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

// examineTown diagnoses an address of the town. Time is that of the town.
func examineTown(t *testing.T, w *town, who string, own *Own) (r *Report) {
	synctest.Test(t, func(t *testing.T) {
		var err error
		o := Options{Address: address(t, who), Asker: w, Version: "1.2.3", Resolver: "192.0.2.53", Own: own}
		if r, err = Examine(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	})
	return r
}

// TestHealthy: a domain with everything right has no finding for any client, and is asked
// few questions, most of them at the same time.
func TestHealthy(t *testing.T) {
	w := healthyTown(t)
	r := examineTown(t, w, "anna@nordlys.example", nil)
	var b bytes.Buffer
	if err := r.WriteText(&b, Layout{Width: 100, Verbose: true}); err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) > 0 || !r.Complete {
		t.Errorf("%d findings, complete %v, want none and a complete report", len(r.Findings), r.Complete)
	}
	for _, limit := range []struct {
		what       string
		count, max int
	}{{"web requests", len(w.webs), 40}, {"DNS questions", len(w.dnss), 60}, {"mail connections", len(w.mailed), 12}} {
		if t.Logf("%d %s", limit.count, limit.what); limit.count > limit.max {
			t.Errorf("%d %s, want at most %d", limit.count, limit.what, limit.max)
		}
	}
	if took := time.Duration(r.Seconds * float64(time.Second)); took > 3*time.Second {
		t.Errorf("it took %v, want less than 3 s", took)
	}
	t.Logf("\n%s", b.String())
}
