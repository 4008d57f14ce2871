package dns

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCacheBounds(t *testing.T) { synctest.Test(t, testCacheBounds) }

func testCacheBounds(t *testing.T) {
	big := Answer{Records: []Record{{Data: strings.Repeat("x", 3000)}}}
	c := newCache(100, 64<<10)
	for i := range 1000 {
		c.put(fmt.Sprint("MX ", i), 0, Answer{}, time.Hour)
	}
	if len(c.entries) != 100 || c.recent.Len() != 100 {
		t.Errorf("cache has %d entries, %d of them in order of use; want 100 of both", len(c.entries), c.recent.Len())
	}
	if !c.get("MX 950", 0).fresh {
		t.Error("the cache dropped one of the 100 most recent entries")
	}
	for i := range 1000 {
		c.put(fmt.Sprint("TXT ", i), 0, big, time.Hour)
		c.put(fmt.Sprint("TXT ", i), 0, big, time.Hour) // replaces
	}
	if c.used.bytes > 64<<10 || len(c.entries) > 22 || len(c.entries) < 15 {
		t.Errorf("cache holds %d bytes in %d entries, want at most %d bytes in 15 to 22",
			c.used.bytes, len(c.entries), 64<<10)
	}
	c.put("TXT huge", 0, Answer{Records: []Record{{Data: strings.Repeat("x", 10_000)}}}, time.Hour)
	if c.get("TXT huge", 0).fresh {
		t.Error("the cache keeps an answer that fills a sixth of it")
	}
	time.Sleep(time.Hour + maxStale)
	for key := range c.entries {
		c.get(key, 0)
	}
	if c.used.bytes != 0 || len(c.entries) != 0 || c.recent.Len() != 0 {
		t.Errorf("cache holds %d bytes in %d entries after all expired, want none", c.used.bytes, len(c.entries))
	}
}

// TestCacheOwners has one client fill the cache with junk, many entries or large ones.
// It pushes out its own, and not what others asked for once.
func TestCacheOwners(t *testing.T) {
	for _, test := range []struct {
		name string
		junk Answer
	}{
		{"many", Answer{Status: NoName}},
		{"large", Answer{Records: []Record{{Data: strings.Repeat("x", 3000)}}}},
	} {
		c := newCache(1000, 1<<20)
		for i := range 500 {
			c.put(fmt.Sprint("MX customer", i), uint64(100+i), Answer{}, time.Hour)
		}
		c.put("MX popular", 1, Answer{}, time.Hour) // the stranger asked first
		c.get("MX popular", 2)
		for i := range 5000 {
			key := fmt.Sprint("MX junk", i)
			c.put(key, 1, test.junk, time.Hour)
			c.get(key, 1)
		}
		for _, name := range []string{"MX popular", "MX customer0", "MX customer499"} {
			if !c.get(name, 3).fresh {
				t.Errorf("%s entries of one client: %q was pushed out", test.name, name)
			}
		}
		if c.used.entries > 1000 || c.used.bytes > 1<<20 || len(c.entries) != c.recent.Len() {
			t.Errorf("%s entries of one client: the cache holds %+v in %d entries", test.name, c.used, c.recent.Len())
		}
		for c.recent.Len() > 0 {
			c.remove(c.recent.Back())
		}
		if len(c.owners) != 0 || c.used != (usage{}) {
			t.Errorf("%s entries of one client: the empty cache counts %v of %v", test.name, c.used, c.owners)
		}
	}
}

// TestCacheOfTwoOwners has one stranger ask from two addresses for the same junk, many
// entries or huge ones. It pushes out its own only.
func TestCacheOfTwoOwners(t *testing.T) {
	for name, size := range map[string]int{"many": 100, "large": 15_000, "huge": 200_000} {
		c := newCache(maxEntries, maxBytes)
		for i := range 5000 {
			c.put(fmt.Sprint("MX customer", i), uint64(100+i), Answer{}, time.Hour)
		}
		junk := Answer{Records: []Record{{Data: strings.Repeat("x", size)}}}
		for i := range 30_000 {
			key := fmt.Sprint("MX junk", i)
			c.put(key, 1, junk, time.Hour)
			c.get(key, 2)
			c.get(key, 1)
		}
		lost := 0
		for i := range 5000 {
			if !c.get(fmt.Sprint("MX customer", i), 3).fresh {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("%s entries of one stranger pushed out %d of 5000 of others, want none", name, lost)
		}
		if c.get("MX junk0", 1).fresh && size > maxOwned {
			t.Errorf("the cache keeps an entry of %d bytes for a client", size)
		}
	}
}

// TestCacheKeepsAnswers checks what a failure leaves of an earlier answer.
func TestCacheKeepsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := errors.New("failure")
		found := Answer{Records: []Record{{Data: "10 mx.test."}}}
		c := newCache(10, 1<<20)
		c.put("MX found", 0, found, time.Minute)
		c.put("MX absent", 0, Answer{Status: NoData}, time.Minute)
		c.fail("MX never", 0, failure)
		for _, step := range []struct {
			after                time.Duration
			fails                bool
			found, absent, never string
		}{
			{0, false, "fresh", "fresh", "failed"},
			{30 * time.Second, true, "fresh", "fresh", "failed"},
			{30 * time.Second, false, "stale", "nothing", "nothing"},
			{0, true, "stale failed", "failed", "failed"},
			{failureTTL, false, "stale", "nothing", "nothing"},
			{maxStale - failureTTL - time.Second, true, "stale failed", "failed", "failed"},
			{time.Second, false, "failed", "failed", "failed"},
			{time.Minute, false, "nothing", "nothing", "nothing"},
		} {
			time.Sleep(step.after)
			for key, want := range map[string]string{"MX found": step.found, "MX absent": step.absent,
				"MX never": step.never} {
				if step.fails {
					c.fail(key, 0, failure)
				}
				if got := describeKnown(c.get(key, 0)); got != want {
					t.Errorf("%v later, failing %v: the cache knows %q of %s, want %q",
						step.after, step.fails, got, key, want)
				}
			}
		}
	})
}

func describeKnown(k known) string {
	words := []string{}
	if k.fresh {
		words = append(words, "fresh")
	}
	if k.stale {
		words = append(words, "stale")
	}
	if k.err != nil {
		words = append(words, "failed")
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, " ")
}
