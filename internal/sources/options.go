package sources

import (
	"cmp"
	"reflect"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout     = 500 * time.Millisecond
	DefaultRefresh     = time.Minute
	DefaultKeep        = 24 * time.Hour
	DefaultConnections = 4
)

// Options says which store a Source asks, and what its rows mean.
type Options struct {
	// Name is unique among the sources of a configuration. It stands in logs, metrics
	// and what show prints: the place in the file and the preset, such as "2-mailcow".
	Name string
	// Backend asks the store. The Source closes it.
	Backend Backend
	// Provider is the ID of the provider of the store's domains whose rows name none.
	// It must not be empty unless NoDomains is set.
	Provider string
	// Providers gives the IDs of the providers that the words of the store mean. A
	// domain or account with any other word is taken for one without, and logged.
	Providers map[string]string
	// NoDomains leaves the store's domains alone: the file lists them.
	NoDomains bool

	Timeout     time.Duration // of one question; zero: DefaultTimeout
	Refresh     time.Duration // how often the list of domains is read; zero: DefaultRefresh
	Keep        time.Duration // how long a row is used while the store fails; zero: DefaultKeep
	Connections int           // how many questions are asked at once; zero: DefaultConnections
}

// withDefaults returns the options with defaults in place of zeros.
func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Refresh = cmp.Or(o.Refresh, DefaultRefresh)
	o.Keep = cmp.Or(o.Keep, DefaultKeep)
	o.Connections = cmp.Or(o.Connections, DefaultConnections)
	return o
}

// sameStore reports whether the other options ask the same store in the same way, so that
// what it said is good for both.
func (o Options) sameStore(other Options) bool {
	return o.NoDomains == other.NoDomains && o.Timeout == other.Timeout && o.Refresh == other.Refresh &&
		o.Keep == other.Keep && o.Connections == other.Connections &&
		reflect.DeepEqual(o.Backend.Settings(), other.Backend.Settings())
}
