package publish

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"time"

	miekg "github.com/miekg/dns"

	"signpost/internal/dns"
	"signpost/internal/fault"
)

// primary is the name server that takes our updates. Everything goes over one
// TCP connection and is signed, the questions as well: a primary that hides from
// the world answers those who have the key, and nobody else can lie to us about
// what there is.
type primary struct {
	address string
	key     dns.Key
	timeout time.Duration
	clock   func() time.Time
	fudge   uint16 // seconds by which clocks may differ, 300 if zero
	conn    net.Conn
}

func (p *primary) String() string { return "primary " + p.address }

func (p *primary) close() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// ask asks for what the primary itself has.
func (p *primary) ask(ctx context.Context, name, recordType string) (*miekg.Msg, error) {
	qname, qtype, err := dns.Question(name, recordType)
	if err != nil {
		return nil, err
	}
	query := new(miekg.Msg).SetQuestion(qname, qtype)
	query.RecursionDesired = false
	answer, err := p.exchange(ctx, query)
	if err != nil {
		return nil, err
	}
	switch answer.Rcode {
	case miekg.RcodeSuccess, miekg.RcodeNameError:
		return answer, nil
	case miekg.RcodeRefused, miekg.RcodeNotAuth:
		return nil, p.refused(ctx, qname, answer)
	}
	return nil, fmt.Errorf("%s %w", p, dns.CodeError(answer.Rcode))
}

// refused finds out whether it is the key, the clock or the zone that a primary
// does not accept. PowerDNS does not tell.
func (p *primary) refused(ctx context.Context, qname string, answer *miekg.Msg) error {
	if answer.IsTsig() == nil && p.key.Name != "" {
		query := new(miekg.Msg).SetQuestion(qname, miekg.TypeSOA)
		query.RecursionDesired = false
		// The same key with all the time that a signature can ask for: if that
		// is accepted, it was the time.
		patient := &primary{address: p.address, key: p.key, timeout: p.timeout, clock: p.clock, fudge: math.MaxUint16}
		defer patient.close()
		if answer, err := patient.exchange(ctx, query); err != nil && fault.Hint(err) != "" {
			return err
		} else if err == nil && answer.IsTsig() != nil {
			return p.skewed(answer.IsTsig())
		}
		unsigned := &primary{address: p.address, timeout: p.timeout, clock: p.clock}
		defer unsigned.close()
		answer, err := unsigned.exchange(ctx, query)
		if err == nil && answer.Authoritative && (answer.Rcode == miekg.RcodeSuccess || answer.Rcode == miekg.RcodeNameError) {
			return fault.WithHint(fmt.Errorf("%s does not accept the key %s: it knows no key of that name or another secret", p, p.key.Name),
				"compare name, algorithm and secret with the primary's configuration, and the date on both machines")
		}
	}
	return fault.WithHint(fmt.Errorf("%s has no zone for %s, or does not show it to us", p, strings.TrimSuffix(qname, ".")),
		"name the primary of the zone in the configuration, or create the zone there first")
}

// exchange sends a message and returns the answer to it. An answer that is good
// news must be signed.
func (p *primary) exchange(ctx context.Context, query *miekg.Msg) (*miekg.Msg, error) {
	fresh := p.conn == nil
	answer, err := p.try(ctx, query.Copy())
	if err == nil || fresh || ctx.Err() != nil || query.Opcode == miekg.OpcodeUpdate || errors.Is(err, dns.ErrSilent) {
		return answer, err
	}
	// The primary closed a connection that was idle; a question can be asked
	// again without harm.
	return p.try(ctx, query.Copy())
}

func (p *primary) try(ctx context.Context, query *miekg.Msg) (answer *miekg.Msg, err error) {
	deadline := time.Now().Add(p.timeout)
	if p.conn == nil {
		if p.conn, err = (&net.Dialer{Deadline: deadline}).DialContext(ctx, "tcp", p.address); err != nil {
			p.conn = nil
			return nil, fmt.Errorf("%s %w", p, dns.TransportError(err))
		}
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	p.conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { p.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	// One for each exchange: it keeps the MAC of the last one.
	wire := &miekg.Conn{Conn: p.conn}
	query.Id = miekg.Id()
	if p.key.Name != "" {
		name := miekg.Fqdn(p.key.Name)
		wire.TsigSecret = map[string]string{name: string(p.key.Secret)}
		query.SetTsig(name, miekg.Fqdn(p.key.Algorithm), cmp.Or(p.fudge, 300), p.clock().Unix())
	}
	if err := wire.WriteMsg(query); err != nil {
		return nil, fmt.Errorf("%s %w", p, dns.TransportError(err))
	}
	answer, err = wire.ReadMsg()
	if answer == nil {
		return nil, fmt.Errorf("%s %w", p, dns.TransportError(err))
	}
	if !answer.Response || answer.Id != query.Id || answer.Opcode != query.Opcode {
		return nil, fmt.Errorf("%s %w", p, dns.ErrOtherQuestion)
	}
	return answer, p.signed(answer, err)
}

// signed judges what the primary says of our signature, and its own.
func (p *primary) signed(answer *miekg.Msg, err error) error {
	if p.key.Name == "" {
		return err
	}
	tsig := answer.IsTsig()
	if tsig != nil {
		switch tsig.Error {
		case miekg.RcodeBadKey:
			// Knot says so as well of a key that it knows but allows nothing.
			return fault.WithHint(fmt.Errorf("%s knows no key %s, or allows it nothing in this zone", p, p.key.Name),
				"compare the key's name and algorithm with the primary's configuration, and what it allows the key")
		case miekg.RcodeBadSig:
			return fault.WithHint(fmt.Errorf("%s has another secret for the key %s", p, p.key.Name), "compare the secrets here and in the primary's configuration")
		case miekg.RcodeBadTime:
			return p.skewed(tsig)
		}
	}
	switch {
	case errors.Is(err, miekg.ErrAuth), tsig == nil && answer.Rcode != miekg.RcodeSuccess && answer.Rcode != miekg.RcodeNameError:
		return nil // the code says why
	case errors.Is(err, miekg.ErrTime):
		return p.skewed(tsig)
	case err != nil || tsig == nil:
		return fmt.Errorf("%s answers without a valid signature, and is not believed", p)
	}
	return nil
}

// skewed names the difference of the clocks, which a server that refuses a
// signature for its time tells (RFC 8945 §5.2.3).
func (p *primary) skewed(tsig *miekg.TSIG) error {
	theirs := time.Unix(int64(tsig.TimeSigned), 0)
	if octets, err := hex.DecodeString(tsig.OtherData); err == nil && len(octets) == 6 {
		var seconds int64
		for _, octet := range octets {
			seconds = seconds<<8 | int64(octet)
		}
		theirs = time.Unix(seconds, 0)
	}
	ours := p.clock()
	problem := fmt.Sprintf("%s refuses the signature because the clocks differ by more than five minutes", p)
	if skew := ours.Sub(theirs).Round(time.Second).Abs(); skew > time.Minute { // PowerDNS does not tell
		problem += fmt.Sprintf(": it is %s here and %s there, a difference of %v",
			ours.UTC().Format(time.DateTime), theirs.UTC().Format(time.DateTime), skew)
	}
	return fault.WithHint(errors.New(problem), "set both clocks by NTP")
}

// update sends an update and says what became of it.
func (p *primary) update(ctx context.Context, zone string, message *miekg.Msg) error {
	answer, err := p.exchange(ctx, message)
	if err != nil {
		return err
	}
	switch answer.Rcode {
	case miekg.RcodeSuccess:
		return nil
	case miekg.RcodeYXDomain, miekg.RcodeYXRrset, miekg.RcodeNXRrset, miekg.RcodeNameError:
		return fault.WithHint(ErrChanged, "plan again and look at what is different")
	case miekg.RcodeRefused:
		return fault.WithHint(fmt.Errorf("%s refuses to update %s with the key %s", p, zone, p.key.Name),
			"allow the key to update the zone: allow-update or update-policy in BIND, an acl in Knot, TSIG-ALLOW-DNSUPDATE in PowerDNS")
	case miekg.RcodeNotAuth:
		return fault.WithHint(fmt.Errorf("%s is not the primary of %s", p, zone), "name the zone's primary in the configuration")
	case miekg.RcodeNotImplemented:
		return fault.WithHint(fmt.Errorf("%s takes no updates", p), "print the records with -format zone instead, and put them into the zone file")
	case miekg.RcodeServerFailure:
		return fault.WithHint(fmt.Errorf("%s failed to update %s", p, zone), "its log says why; often it cannot write its files")
	}
	return fmt.Errorf("%s answers %s to the update of %s", p, miekg.RcodeToString[answer.Rcode], zone)
}

// ErrChanged is an update that was refused because the zone is no longer what
// the plan was made for.
var ErrChanged = errors.New("it was changed since the plan was made, so that nothing was published there")
