package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestIsPort(t *testing.T) {
	for text, want := range map[string]bool{
		"1": true, "993": true, "65535": true,
		"": false, "0": false, "-1": false, "65536": false, "0993": false, "+993": false, "imap": false, "993 ": false,
	} {
		if got := isPort(text); got != want {
			t.Errorf("isPort(%q) = %v, want %v", text, got, want)
		}
	}
}

// TestLargestNumber checks both sides of an upper bound.
func TestLargestNumber(t *testing.T) {
	for number, want := range map[int]bool{1_000_000: true, 1_000_001: false} {
		text := fmt.Sprintf("limits: {connectionsPerAddress: %d}\n%s", number, minimal)
		if _, err := parse("signpost.yaml", []byte(text)); (err == nil) != want {
			t.Errorf("connectionsPerAddress: %d: error %v, want it accepted: %v", number, err, want)
		}
	}
}

// TestOneMoreFault checks that a single fault beyond the most that are reported is reported
// itself, and that more are counted.
func TestOneMoreFault(t *testing.T) {
	for n, want := range map[int]string{
		maxReported:     fmt.Sprintf(`unknown key "wrong%03d"`, maxReported-1),
		maxReported + 1: fmt.Sprintf(`unknown key "wrong%03d"`, maxReported),
		maxReported + 2: "and 2 more like these",
		maxReported + 9: "and 9 more like these",
	} {
		var text strings.Builder
		text.WriteString(minimal)
		for i := range n {
			fmt.Fprintf(&text, "wrong%03d: 1\n", i)
		}
		_, err := parse("signpost.yaml", []byte(text.String()))
		if err == nil {
			t.Fatalf("%d unknown keys are accepted", n)
		}
		lines := strings.Split(err.Error(), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, want) {
			t.Errorf("the last line about %d faults is %q, want %q", n, last, want)
		}
	}
}
