package service

import (
	"signpost/internal/doctor"
	"signpost/internal/records"
)

// DoctorsView returns what a diagnosis compares the world with.
func (l *Loaded) DoctorsView() *doctor.Own {
	own := &doctor.Own{Service: l.Config.Name, Resolve: l.Directory.Resolve}
	if l.SaysWhere() {
		own.Records = records.New(l.RecordOptions()).Domain
	}
	return own
}

// SaysWhere reports whether the configuration says what records could point to: the service's
// own name or its addresses.
func (l *Loaded) SaysWhere() bool { return l.Config.Name != "" || len(l.Config.DNS.Addresses) > 0 }

// RecordOptions returns what the records of domains are made from.
func (l *Loaded) RecordOptions() records.Options {
	c := l.Config
	return records.Options{
		Name: c.Name, Addresses: c.DNS.Addresses, Certificate: l.CertificateFor(),
		TTL: uint32(c.DNS.TTL.Seconds()), Directory: l.Directory,
	}
}
