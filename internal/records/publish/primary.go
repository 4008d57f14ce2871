package publish

import (
	"cmp"
	"context"
	"encoding/binary"
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

// primary is a client of the name server that accepts our updates. Everything goes
// over one TCP connection and is signed, the questions as well: a hidden primary
// answers those who have the key, and nobody else can forge its answers.
type primary struct {
	address string
	key     dns.Key
	timeout time.Duration
	clock   func() time.Time
	fudge   uint16 // seconds by which the clocks may differ, 300 if zero
	conn    net.Conn
}

// String names the primary in errors.
func (p *primary) String() string { return "primary " + p.address }

func (p *primary) disconnect() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// ask asks for the records that the primary itself has.
func (p *primary) ask(ctx context.Context, name, recordType string) (*miekg.Msg, error) {
	qname, qtype, err := dns.Question(name, recordType)
	if err != nil {
		return nil, err
	}
	query := new(miekg.Msg).SetQuestion(qname, qtype)
	query.RecursionDesired = false
	answer, err := p.roundTrip(ctx, query)
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

// refused finds out whether a primary does not accept the key, the time or the
// zone. PowerDNS does not say so.
func (p *primary) refused(ctx context.Context, qname string, answer *miekg.Msg) error {
	if answer.IsTsig() == nil && p.key.Name != "" {
		query := new(miekg.Msg).SetQuestion(qname, miekg.TypeSOA)
		query.RecursionDesired = false
		// Try the same key with the longest validity that a signature can ask
		// for. If that is accepted, the reason was the time.
		patient := &primary{address: p.address, key: p.key, timeout: p.timeout, clock: p.clock, fudge: math.MaxUint16}
		defer patient.disconnect()
		if answer, err := patient.roundTrip(ctx, query); err != nil && fault.Hint(err) != "" {
			return err
		} else if err == nil && answer.IsTsig() != nil {
			return p.skewed(answer.IsTsig())
		}
		unsigned := &primary{address: p.address, timeout: p.timeout, clock: p.clock}
		defer unsigned.disconnect()
		answer, err := unsigned.roundTrip(ctx, query)
		if err == nil && answer.Authoritative &&
			(answer.Rcode == miekg.RcodeSuccess || answer.Rcode == miekg.RcodeNameError) {
			return fault.WithHint(fmt.Errorf("%s does not accept the key %s: "+
				"it knows no key of that name or another secret",
				p, p.key.Name),
				"compare name, algorithm and secret with the primary's configuration, and the date on both machines")
		}
	}
	return fault.WithHint(fmt.Errorf("%s has no zone for %s, or does not show it to us", p,
		strings.TrimSuffix(qname, ".")),
		"name the primary of the zone in the configuration, or create the zone there first")
}

// roundTrip sends a message and returns the answer to it. An answer that is not a
// refusal must be signed.
func (p *primary) roundTrip(ctx context.Context, query *miekg.Msg) (*miekg.Msg, error) {
	fresh := p.conn == nil
	answer, err := p.try(ctx, query.Copy())
	if err == nil || fresh || ctx.Err() != nil || query.Opcode == miekg.OpcodeUpdate || errors.Is(err, dns.ErrSilent) {
		return answer, err
	}
	// The primary closed an idle connection. Repeating a question does no harm.
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
			p.disconnect()
		}
	}()
	p.conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { p.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	// Each message needs a Conn of its own, because a Conn keeps the MAC of its
	// last message.
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
	return answer, p.checkSignature(answer, err)
}

// checkSignature returns what the primary says about our signature, and checks its
// own.
func (p *primary) checkSignature(answer *miekg.Msg, err error) error {
	if p.key.Name == "" {
		return err
	}
	tsig := answer.IsTsig()
	if tsig != nil {
		switch tsig.Error {
		case miekg.RcodeBadKey:
			// Knot also answers this for a key that it knows but that has no rights.
			return fault.WithHint(fmt.Errorf("%s knows no key %s, or allows it nothing in this zone", p, p.key.Name),
				"compare the key's name and algorithm with the primary's configuration, and what it allows the key")
		case miekg.RcodeBadSig:
			return fault.WithHint(fmt.Errorf("%s has another secret for the key %s", p, p.key.Name),
				"compare the secrets here and in the primary's configuration")
		case miekg.RcodeBadTime:
			return p.skewed(tsig)
		}
	}
	switch {
	case errors.Is(err, miekg.ErrAuth), tsig == nil && answer.Rcode != miekg.RcodeSuccess &&
		answer.Rcode != miekg.RcodeNameError:
		return nil // the response code says why
	case errors.Is(err, miekg.ErrTime):
		return p.skewed(tsig)
	case err != nil || tsig == nil:
		return fmt.Errorf("%s answers without a valid signature, and is not trusted", p)
	}
	return nil
}

// skewed returns an error with the difference of the clocks, which a server that
// refuses a signature for its time has to send (RFC 8945 §5.2.3).
func (p *primary) skewed(tsig *miekg.TSIG) error {
	theirs := time.Unix(int64(tsig.TimeSigned), 0)
	if b, err := hex.DecodeString(tsig.OtherData); err == nil && len(b) == 6 {
		seconds := int64(binary.BigEndian.Uint64(append([]byte{0, 0}, b...)))
		theirs = time.Unix(seconds, 0)
	}
	ours := p.clock()
	problem := fmt.Sprintf("%s refuses the signature because the clocks differ by more than five minutes", p)
	if skew := ours.Sub(theirs).Round(time.Second).Abs(); skew > time.Minute { // PowerDNS does not say
		problem += fmt.Sprintf(": it is %s here and %s there, a difference of %v",
			ours.UTC().Format(time.DateTime), theirs.UTC().Format(time.DateTime), skew)
	}
	return fault.WithHint(errors.New(problem), "set both clocks by NTP")
}

// update sends an update. The error says why the primary did not accept it.
func (p *primary) update(ctx context.Context, zone string, message *miekg.Msg) error {
	answer, err := p.roundTrip(ctx, message)
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
			"allow the key to update the zone: allow-update or update-policy in BIND, an acl in Knot, "+
				"TSIG-ALLOW-DNSUPDATE in PowerDNS")
	case miekg.RcodeNotAuth:
		return fault.WithHint(fmt.Errorf("%s is not the primary of %s", p, zone),
			"name the zone's primary in the configuration")
	case miekg.RcodeNotImplemented:
		return fault.WithHint(fmt.Errorf("%s does not support updates", p),
			"print the records with -format zone instead, and put them into the zone file")
	case miekg.RcodeServerFailure:
		return fault.WithHint(fmt.Errorf("%s failed to update %s", p, zone),
			"its log says why; often it cannot write its files")
	}
	return fmt.Errorf("%s answers %s to the update of %s", p, miekg.RcodeToString[answer.Rcode], zone)
}

// ErrChanged means that an update was refused because the zone has changed since
// the plan was made.
var ErrChanged = errors.New("it has changed since the plan was made, so nothing was published there")
