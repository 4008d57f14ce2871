package client

import (
	"cmp"
	"context"
	"slices"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// The services of SRV records for mail (RFC 6186 §3, RFC 8314 §5.1, RFC 8620 §2.2). The name
// smtps is in no RFC; aerc asks for it.
const (
	imapService        = "imap"
	imapsService       = "imaps"
	pop3Service        = "pop3"
	pop3sService       = "pop3s"
	submissionService  = "submission"
	submissionsService = "submissions"
	smtpsService       = "smtps"
	jmapService        = "jmap"
)

// ServiceQuestion asks for the SRV records of a service at a domain.
func ServiceQuestion(service, domain string) probe.DNSQuestion {
	return DNS("SRV", "_"+service+"._tcp."+domain)
}

// expectServices starts the questions for several services.
func (s *Search) expectServices(ctx context.Context, domain string, services ...string) {
	for _, service := range services {
		s.Expect(ctx, ServiceQuestion(service, domain))
	}
}

// serviceRecord is an SRV record with the service that it is of.
type serviceRecord struct {
	SRV
	service string
	key     probe.Key
}

// lookupServices returns the records of the services, in the order of the services and of their
// answers, and whether all answers are known. Records with the target "." (RFC 2782: "not
// available") are left out.
func (s *Search) lookupServices(ctx context.Context, domain string, services ...string) ([]serviceRecord, bool) {
	var records []serviceRecord
	known := true
	for _, service := range services {
		q := ServiceQuestion(service, domain)
		answer := s.Asker.DNS(ctx, q)
		known = known && answer.Failure.Known()
		for _, record := range Services(answer) {
			if record.Target != "" {
				records = append(records, serviceRecord{record, service, q.Key()})
			}
		}
	}
	return records, known
}

// firstByPriority returns the record that RFC 2782 prefers: that of the lowest priority number, and
// of those the one of the highest weight, which a client draws most often. The first of equal
// ones wins.
func firstByPriority(records []serviceRecord) (serviceRecord, bool) {
	if len(records) == 0 {
		return serviceRecord{}, false
	}
	return slices.MinFunc(records, func(a, b serviceRecord) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight))
	}), true
}

// server returns the server that a record names, for the login of the address: TLS at once
// for the services whose name ends in s, else STARTTLS.
func (r serviceRecord) server(username string) Server {
	server := Server{Hostname: r.Target, Port: r.Port, Username: username, SocketType: account.STARTTLS}
	switch r.service {
	case imapsService, pop3sService, submissionsService, smtpsService:
		server.SocketType = account.SSL
	}
	switch r.service {
	case imapService, imapsService:
		server.Type = account.IMAP
	case pop3Service, pop3sService:
		server.Type = account.POP3
	default:
		server.Type = account.SMTP
	}
	return server
}
