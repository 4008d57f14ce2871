package network

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"signpost/internal/doctor/probe"
)

// inspect says what a server's chain, leaf first, and the TLS version are worth to a strict
// client that connects to the host.
func inspect(chain []*x509.Certificate, version uint16, host string, roots *x509.CertPool, now time.Time) *probe.TLS {
	facts := &probe.TLS{Version: versionName(version), Chain: len(chain)}
	if version < tls.VersionTLS12 {
		facts.Problems = append(facts.Problems, probe.OldVersion)
	}
	if len(chain) == 0 {
		return facts
	}
	leaf := chain[0]
	facts.Names, facts.Issuer = names(leaf), issuer(leaf)
	facts.Start, facts.End = leaf.NotBefore.UTC(), leaf.NotAfter.UTC()
	if leaf.VerifyHostname(host) != nil {
		facts.Problems = append(facts.Problems, probe.WrongName)
	}
	// The chain is judged at a time at which the leaf is valid, or a certificate that ended
	// would hide what else is wrong with it.
	at := now
	switch {
	case now.After(leaf.NotAfter):
		facts.Problems = append(facts.Problems, probe.Expired)
		at = leaf.NotAfter
	case now.Before(leaf.NotBefore):
		facts.Problems = append(facts.Problems, probe.NotYetValid)
		at = leaf.NotBefore
	}
	problem, of := chainProblem(chain, roots, at)
	switch {
	case problem == "" || facts.Has(problem):
		return facts
	case problem == probe.Expired:
		facts.End = of.NotAfter.UTC()
	case problem == probe.NotYetValid:
		facts.Start = of.NotBefore.UTC()
	}
	facts.Problems = append(facts.Problems, problem)
	return facts
}

// chainProblem returns what keeps the chain from leading to one of the roots, or "", and the
// certificate with the problem.
func chainProblem(chain []*x509.Certificate, roots *x509.CertPool, at time.Time) (probe.Problem, *x509.Certificate) {
	leaf := chain[0]
	sent := x509.NewCertPool()
	for _, c := range chain[1:] {
		sent.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: sent, CurrentTime: at})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		// Of an issuer; the leaf is valid at the time.
		if at.Before(invalid.Cert.NotBefore) {
			return probe.NotYetValid, invalid.Cert
		}
		return probe.Expired, invalid.Cert
	case signsItself(leaf):
		return probe.SelfSigned, leaf
	case fromPublicAuthority(leaf) && !issuerSent(chain):
		return probe.IncompleteChain, leaf
	}
	return probe.UnknownIssuer, leaf
}

// signsItself reports whether the certificate is its own issuer. Certificate.CheckSignatureFrom
// would not do: it wants an authority, which such a certificate often does not say it is.
func signsItself(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) &&
		c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// issuerSent reports whether the server sent the certificate of the leaf's issuer.
func issuerSent(chain []*x509.Certificate) bool {
	for _, c := range chain[1:] {
		if bytes.Equal(c.RawSubject, chain[0].RawIssuer) && chain[0].CheckSignatureFrom(c) == nil {
			return true
		}
	}
	return false
}

// fromPublicAuthority reports whether the certificate says that an authority of the public web
// issued it. Every such certificate for servers has one of the policies 2.23.140.1.2.x or
// 2.23.140.1.1 (CA/Browser Forum, Baseline Requirements §7.1.6.1, and for extended validation), most have
// proofs from transparency logs (RFC 6962 §3.3); a private authority has no reason to write
// them. So an unknown issuer can be told from one whose certificate was only not sent without
// fetching anything from the address that the certificate names. The names of issuers
// do not help: "R11" of "Let's Encrypt" leads to a root of another organisation.
func fromPublicAuthority(c *x509.Certificate) bool {
	for _, policy := range c.PolicyIdentifiers {
		if len(policy) >= 5 && policy[:4].Equal(browserForum) && (policy[4] == 1 || policy[4] == 2) {
			return true
		}
	}
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(transparency) })
}

var (
	browserForum = asn1.ObjectIdentifier{2, 23, 140, 1}
	transparency = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
)

// maxNames is how many names of a certificate are kept; hosters' certificates have hundreds.
const maxNames = 100

// names returns the names of a certificate: those that clients look at, else the common
// name, which they have not looked at since RFC 6125.
func names(c *x509.Certificate) (all []string) {
	for _, name := range c.DNSNames {
		if name = clean(name); name != "" {
			all = append(all, name)
		}
	}
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if name := clean(c.Subject.CommonName); len(all) == 0 && name != "" {
		return []string{name}
	}
	return all[:min(len(all), maxNames)]
}

func issuer(c *x509.Certificate) string {
	organisation := ""
	if len(c.Issuer.Organization) > 0 {
		organisation = c.Issuer.Organization[0]
	}
	return clean(cmp.Or(c.Issuer.CommonName, organisation))
}
