package e2e

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// oracleRounds names the environment variable for the number of rounds of TestNoOracle.
const oracleRounds = "SIGNPOST_ORACLE_ROUNDS"

// kinds are what a stranger must not be able to tell from each other. %d is a number.
var kinds = []string{"found%d@example.com", "nobody%d@example.com", "alias%d@example.com", "gone%d@example.com"}

// TestNoOracle compares what strangers get for mailboxes that exist, that do not, that are
// aliases and that are inactive: the bytes, the number of questions to the database, and
// the time.
func TestNoOracle(t *testing.T) {
	rounds := 200
	if text := os.Getenv(oracleRounds); text != "" {
		rounds, _ = strconv.Atoi(text)
	}
	ordinary := strings.Replace(provider, "    aliasLogin: mailbox\n", "", 1)
	for name, config := range map[string]string{
		"one product": ordinary,
		"two products": ordinary + `
  - id: other
    displayName: Other
    domains: [other.example]
    servers: {of: mail}
`,
	} {
		t.Run(name, func(t *testing.T) {
			d := rig.Load(t, "postfixadmin.pgsql")
			fill(t, d, rounds)
			s := serve(t, config+source(d)+"      provider: mail\n")
			s.loaded(t)
			s.compare(t, "cold", 0, rounds, rounds)
			s.compare(t, "warm", rounds-remembered, remembered, rounds)
			d.Server.Stop()
			defer d.Server.Start(t)
			s.compare(t, "warm, database down", rounds-remembered, remembered, rounds)
		})
	}
}

// remembered is how many of each kind are remembered for sure.
const remembered = 100

// compare asks about each kind in turn, with count numbers beginning with first.
func (s *running) compare(t *testing.T, phase string, first, count, rounds int) {
	t.Helper()
	times := make([][]time.Duration, len(kinds))
	for round := range rounds {
		var other answer // of the round
		for place := range kinds {
			kind := (place + round) % len(kinds)
			address := fmt.Sprintf(kinds[kind], first+round%count)
			start := time.Now()
			got, err := s.do(ways[0].request(address, "example.com"))
			times[kind] = append(times[kind], time.Since(start))
			if err != nil {
				t.Fatal(err)
			}
			got.body = bytes.ReplaceAll(got.body, []byte(address), []byte("ADDRESS"))
			if place == 0 {
				other = got
			} else if got.status != other.status || !bytes.Equal(got.body, other.body) {
				t.Fatalf("%s: %s gets status %d\n%s\nanother kind gets status %d\n%s",
					phase, address, got.status, got.body, other.status, other.body)
			}
		}
	}
	report(t, phase, times)
}

// report logs the medians and their differences beside the spread of one kind with itself,
// and fails the test if they are larger.
func report(t *testing.T, phase string, times [][]time.Duration) {
	t.Helper()
	low, high := time.Duration(1<<62), time.Duration(0)
	for kind, name := range kinds {
		sorted := slices.Sorted(slices.Values(times[kind]))
		median := quantile(sorted, 0.5)
		low, high = min(low, median), max(high, median)
		t.Logf("%s: %-22s median %v, quartiles %v and %v",
			phase, name, median, quantile(sorted, 0.25), quantile(sorted, 0.75))
	}
	one := slices.Sorted(slices.Values(times[0]))
	spread := quantile(one, 0.75) - quantile(one, 0.25)
	t.Logf("%s: medians differ by %v, the spread of one kind is %v", phase, high-low, spread)
	if high-low >= spread {
		t.Errorf("%s: the median of one kind is %v, of another %v", phase, low, high)
	}
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))]
}
