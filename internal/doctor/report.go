package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode"
	"unicode/utf16"

	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
	"signpost/internal/show"
)

// Report is the outcome of a diagnosis. Its JSON form is part of the command's interface.
type Report struct {
	Version string `json:"version"` // of the program
	// Address is empty if only a domain was named.
	Address string    `json:"address,omitempty"`
	Domain  string    `json:"domain"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	// Complete is false if something that matters could not be known. NotAsked says what.
	Complete bool       `json:"complete"`
	Resolver string     `json:"resolver,omitempty"`
	Provider *Provider  `json:"provider,omitempty"`
	Own      *OwnView   `json:"own,omitempty"`
	Findings []Finding  `json:"findings"`
	Clients  []Client   `json:"clients"`
	Type     *Entry     `json:"type,omitempty"`
	Hosts    []Host     `json:"hosts"`
	NotAsked []NotAsked `json:"notAsked"`
	Requests []Request  `json:"requests,omitempty"`
}

// Provider is who seems to have the mail of a domain.
type Provider struct {
	Guess    string `json:"guess"`
	Evidence string `json:"evidence"`
}

// Finding is one fault.
type Finding struct {
	ID       string           `json:"id"`
	Severity finding.Severity `json:"severity"`
	Sentence string           `json:"sentence"`
	Clients  []string         `json:"clients"` // IDs
	Evidence []Evidence       `json:"evidence"`
	Cures    []Cure           `json:"cures"`
	// Uncovers says what else would go wrong if this finding alone were cured.
	Uncovers []string `json:"uncovers,omitempty"`
}

// Evidence is what was asked and what showed the fault.
type Evidence struct {
	Probe   string `json:"probe"`  // dns, GET, POST, HEAD, tls, imap, pop3, smtp, sieve
	Target  string `json:"target"` // what follows it in the question's key
	Address string `json:"address,omitempty"`
	Result  string `json:"result"`
	MS      int64  `json:"ms"`
}

// Cure is what somebody can do.
type Cure struct {
	Who    string   `json:"who"`
	Text   string   `json:"text"`
	Remove []string `json:"remove,omitempty"` // lines of a zone file
	Put    []string `json:"put,omitempty"`
}

// Client is what a client does.
type Client struct {
	Client    string           `json:"client"` // ID
	Name      string           `json:"name"`
	Version   string           `json:"version,omitempty"`
	Certainty client.Certainty `json:"certainty"`
	Outcome   string           `json:"outcome"` // one of the keys of outcomeWords
	But       string           `json:"but,omitempty"`
	Source    string           `json:"source,omitempty"`
	Seconds   float64          `json:"seconds"`
	Servers   []show.Server    `json:"servers,omitempty"`
	Person    string           `json:"person,omitempty"`
	Findings  []string         `json:"findings"` // IDs
}

// Entry is what a person types where no client finds it.
type Entry struct {
	Source  string        `json:"source"`
	Servers []show.Server `json:"servers"`
}

// Host is one connection to a mail server.
type Host struct {
	Type       string   `json:"type"`
	Hostname   string   `json:"hostname"`
	Port       int      `json:"port"`
	SocketType string   `json:"socketType"`
	Address    string   `json:"address,omitempty"`
	TCP        string   `json:"tcp"` // "connected", or why not
	GreetingMS int64    `json:"greetingMs,omitempty"`
	TLS        *TLS     `json:"tls,omitempty"`
	Before     []string `json:"before,omitempty"`
	After      []string `json:"after,omitempty"`
	Failure    string   `json:"failure,omitempty"`
}

// TLS is a handshake.
type TLS struct {
	Version  string     `json:"version"`
	Names    []string   `json:"names"`
	Issuer   string     `json:"issuer"`
	NotAfter *time.Time `json:"notAfter,omitempty"`
	Chain    int        `json:"chain"`
	Problems []string   `json:"problems,omitempty"`
}

// NotAsked is something that could not be known.
type NotAsked struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Request is a question that was put to the network.
type Request struct {
	Key     string `json:"key"`
	BegunMS int64  `json:"begunMs"`
	MS      int64  `json:"ms"`
	Address string `json:"address,omitempty"`
	Result  string `json:"result"`
}

// MarshalJSON escapes what moves a terminal's cursor or turns the direction of writing: the
// report holds texts of strangers' servers, and people look at JSON, too.
func (r *Report) MarshalJSON() ([]byte, error) {
	type plain Report // without this method
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode((*plain)(r)); err != nil {
		return nil, err
	}
	var escaped bytes.Buffer
	for _, c := range b.String() {
		if unicode.IsPrint(c) || c == '\n' {
			escaped.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(&escaped, `\u%04x`, unit)
		}
	}
	return escaped.Bytes(), nil
}

// Worst returns the severity of the worst finding, empty for none.
func (r *Report) Worst() finding.Severity {
	for _, s := range []finding.Severity{finding.Error, finding.Warning, finding.Note} {
		for _, f := range r.Findings {
			if f.Severity == s {
				return s
			}
		}
	}
	return ""
}

// Fails reports whether the report has a finding at least as bad as least, or is not complete:
// what was not asked is not known to be right.
func (r *Report) Fails(least finding.Severity) bool {
	worst := r.Worst()
	return !r.Complete || worst == finding.Error || worst == finding.Warning && least == finding.Warning
}
