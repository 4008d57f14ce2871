package network

import (
	"fmt"
	"sync"
	"time"

	"signpost/internal/doctor/probe"
	"signpost/internal/fair"
)

// The most questions of one diagnosis. They are three times what a healthy domain needs (40
// web requests, 60 DNS questions, 12 mail connections): a domain with many faults is
// diagnosed whole, and one that was made to keep us asking comes to an end.
const (
	MaxWeb  = 120
	MaxDNS  = 180 // for each view; all name servers that are asked directly are one
	MaxMail = 36  // connections to mail servers
	MaxTLS  = 36  // handshakes alone
)

// The most connections at a time, of all diagnoses of the process together.
const (
	MaxConnections = 8
	MaxPerAddress  = 2
)

// The most DNS questions at a time, of all diagnoses of the process together.
const (
	maxQuestions = 64
	maxOwn       = 24 // of one diagnosis, to resolvers
	maxPerServer = 2  // to a name server of a stranger
)

// connections and questions give out the places. Who waits does so until its diagnosis ends.
var (
	connections = fair.New(MaxConnections, 1<<20, time.Hour)
	questions   = fair.New(maxQuestions, 1<<20, time.Hour)
)

// counts are the questions of a diagnosis so far, by kind.
type counts struct {
	mu   sync.Mutex
	used map[string]int
}

// take counts one question more. It returns a failure if there were as many as allowed.
func (c *counts) take(kind string, most int) *probe.Failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used == nil {
		c.used = map[string]int{}
	}
	if c.used[kind] >= most {
		return &probe.Failure{Kind: probe.NotAsked, Text: fmt.Sprintf("a diagnosis asks at most %d %s", most, kind)}
	}
	c.used[kind]++
	return nil
}

// The kinds of questions, as messages name them.
const (
	webRequests     = "web requests"
	mailConnections = "mail servers"
	handshakes      = "TLS handshakes"
)

// Counts are how many questions of each kind a diagnosis has asked.
type Counts struct{ Web, DNS, Unchecked, Direct, Mail, TLS int }

// Counts returns the number of questions so far.
func (n *Network) Counts() Counts {
	n.counts.mu.Lock()
	defer n.counts.mu.Unlock()
	used := n.counts.used
	return Counts{used[webRequests], used[recursiveQuestions], used[uncheckedQuestions], used[directQuestions],
		used[mailConnections], used[handshakes]}
}
