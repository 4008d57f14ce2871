package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/dns"
)

// askTimeout is how long the service may take to answer: as long as Thunderbird waits.
const askTimeout = 5 * time.Second

// asked has the path that is asked for under each host name, and how a service such as
// this one answers there.
var asked = map[string]struct {
	path     string
	isAnswer func(k *check, r *http.Response, body []byte) bool
}{
	"autoconfig": {"/mail/config-v1.1.xml", func(k *check, r *http.Response, body []byte) bool {
		_, err := autoconfig.Read(body, account.AnyAt(k.domain.Name))
		return r.StatusCode == http.StatusOK && err == nil || isRefusal(r)
	}},
	"autodiscover": {"/autodiscover/autodiscover.xml", func(_ *check, r *http.Response, _ []byte) bool {
		isXML := strings.HasPrefix(r.Header.Get("Content-Type"), "text/xml")
		return r.StatusCode == http.StatusOK && isXML || r.StatusCode == http.StatusFound || isRefusal(r)
	}},
	"ua-auto-config": {"/.well-known/user-agent-configuration.json",
		func(k *check, r *http.Response, body []byte) bool {
			digest := dns.Quote(autoconfig.Digest(body))
			isRight := func(r dns.Record) bool { return r.Data == digest }
			return r.StatusCode == http.StatusOK && slices.ContainsFunc(k.wanted("_ua-auto-config", "TXT"), isRight)
		}},
}

// isRefusal reports whether the answer is one that says nothing on purpose, as for a
// domain about which nothing is told without an address. A web site answers with HTML.
func isRefusal(r *http.Response) bool {
	return r.StatusCode == http.StatusNotFound && strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain")
}

// AskServices has the comparer ask under each name that leads to the service, with one
// request each, whether the service answers there. It asks by HTTPS, or by plain HTTP
// for names without a certificate.
func (c *Comparer) AskServices(certificate func(host string) bool) {
	c.certificate = certificate
	c.web = &http.Client{
		Timeout:       askTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: c.dial, DisableKeepAlives: true},
	}
}

// dial connects to a host at the addresses that the resolver knows.
func (c *Comparer) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses, err := c.resolver.LookupAddresses(ctx, host)
	if err == nil && len(addresses) == 0 {
		err = errors.New("it has no address")
	}
	for _, a := range addresses {
		var dialer net.Dialer
		if conn, err = dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// ask adds a finding if the service does not answer under a name that leads to it.
func (k *check) ask(label string) {
	question, ok := asked[label]
	name := label + "." + k.domain.Name
	if !ok || k.web == nil || k.leadsElsewhere(label) {
		return
	}
	scheme := "https"
	if k.certificate != nil && !k.certificate(name) {
		scheme = "http"
	}
	body, response, err := k.get(scheme + "://" + name + question.path)
	switch {
	case k.ctx.Err() != nil:
	case err != nil:
		k.found(Harmful, label, "leads to the service, which does not answer there: "+err.Error(), nil, nil)
	case response.StatusCode == http.StatusTooManyRequests: // the service's own limit
	case !question.isAnswer(k, response, body):
		k.found(Harmful, label,
			fmt.Sprintf("leads to a service that answers %s with status %d and %q, not as this one does",
				question.path, response.StatusCode, response.Header.Get("Content-Type")), nil, nil)
	}
}

// leadsElsewhere reports whether a name rightly leads to another service.
func (k *check) leadsElsewhere(label string) bool {
	want := k.wanted(label, "CNAME")
	return len(want) > 0 && len(k.domain.redirects) > 0 && targets(want) == k.domain.redirects[0]
}

func (k *check) get(url string) (body []byte, r *http.Response, err error) {
	request, err := http.NewRequestWithContext(k.ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	response, err := k.web.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return body, response, err
}
