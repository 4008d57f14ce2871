package acceptance

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// providerIP is the machine on which the provider answers for its customers' names.
const providerIP = "192.0.2.82"

// secondWebIP is another machine with the web server.
const secondWebIP = "192.0.2.83"

// hangIP is a machine whose port 443 accepts connections and never says a word.
const hangIP = "192.0.2.81"

// labWeb is the one web server of the laboratory. What it answers depends on the host.
type labWeb struct {
	ca      *authority
	certs   *labCertificates
	journal *journal

	mu       sync.Mutex
	subjects map[string]subject // by domain
	// listMended says that Mozilla's list has been corrected.
	listMended atomic.Bool
	others     map[string]http.HandlerFunc
}

// asked is a request as the journal of the laboratory has it.
func (l *labWeb) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	host := strings.ToLower(r.Host)
	answer := &recorder{ResponseWriter: w, status: http.StatusOK}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	l.handler(scheme, host, atProvider(local))(answer, r)
	who := "Delta Chat"
	switch agent := r.UserAgent(); {
	case strings.Contains(agent, "Thunderbird"):
		who = "Thunderbird"
	case strings.Contains(agent, "ignpost"):
		who = "doctor"
	}
	l.journal.add(fmt.Sprintf("%s: %s %s://%s%s → %s", who, r.Method, scheme, host, r.URL.Path, answer))
}

// handler returns what answers for a host.
func (l *labWeb) handler(scheme, host string, atProvider bool) http.HandlerFunc {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other, ok := l.others[host]; ok {
		return other
	}
	domain, label := host, "@"
	s, ok := l.subjects[domain]
	if !ok {
		label, domain, _ = strings.Cut(host, ".")
		if s, ok = l.subjects[domain]; !ok {
			return nothingHere
		}
	}
	s.twin = s.twin || atProvider
	healthy := s.healthy(label)
	all := s.edits().web
	for _, key := range []string{scheme + " " + label, label, scheme + " *", "*"} {
		if b, ok := all[key]; ok {
			return func(w http.ResponseWriter, r *http.Request) { b(w, r, healthy) }
		}
	}
	return healthy
}

// atProvider reports whether a connection came to the provider's machine, where nothing is
// wrong with a customer's name.
func atProvider(local net.Addr) bool {
	return local != nil && strings.HasPrefix(local.String(), providerIP+":")
}

// set changes a subject: its cure at the web server.
func (l *labWeb) set(s subject) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subjects[s.domain] = s
}

// healthy returns a healthy server of the subject at one of its hosts.
func (s subject) healthy(label string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		where := "http://" + r.Host
		if r.TLS != nil {
			where = "https://" + r.Host
		}
		e := s.edits()
		switch {
		case label == "autoconfig" && r.URL.Path == "/mail/config-v1.1.xml",
			label == "@" && r.URL.Path == "/.well-known/autoconfig/mail/config-v1.1.xml":
			sendXML(w, s.document(healthyDoc, e.doc, where))
		case label == "autodiscover" && strings.EqualFold(r.URL.Path, "/autodiscover/autodiscover.xml"):
			body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
			if bytes.Contains(body, []byte("mobilesync")) {
				sendXML(w, notAvailable)
				return
			}
			sendXML(w, s.document(healthyPOX, e.pox, where))
		default:
			nothingHere(w, r)
		}
	}
}

func sendXML(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	io.WriteString(w, text)
}

// startLabWeb serves all subjects.
func startLabWeb(t *testing.T, ca *authority, all []subject) *labWeb {
	t.Helper()
	l := &labWeb{
		ca: ca, certs: newLabCertificates(t, ca), journal: &journal{},
		subjects: map[string]subject{},
	}
	l.others = l.otherSites()
	for _, s := range all {
		l.subjects[s.domain] = s
	}
	for _, address := range []string{webIP + ":80", webIP + ":443", hangIP + ":80", hangIP + ":443",
		providerIP + ":80", providerIP + ":443", secondWebIP + ":80", secondWebIP + ":443"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		if address == hangIP+":443" {
			go silence(listener)
			continue
		}
		server := &http.Server{Handler: l, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 10 * time.Second}
		t.Cleanup(func() { server.Close() })
		if strings.HasSuffix(address, ":443") {
			server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS10, GetConfigForClient: l.handshake}
			go server.ServeTLS(listener, "", "")
		} else {
			go server.Serve(listener)
		}
	}
	return l
}

// silence accepts connections and says nothing.
func silence(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.Copy(io.Discard, conn)
		}()
	}
}

// handshake chooses the certificate, and the versions, for the name of a handshake.
func (l *labWeb) handshake(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	name := strings.ToLower(hello.ServerName)
	kind := certificateKind("")
	l.mu.Lock()
	s, ok := l.subjects[name]
	label, domain, _ := strings.Cut(name, ".")
	if ok {
		label = "@"
	} else {
		s, ok = l.subjects[domain]
	}
	l.mu.Unlock()
	if ok && !atProvider(hello.Conn.LocalAddr()) {
		all := s.edits().certificate
		if kind, ok = all[label]; !ok {
			kind = all["*"]
		}
	}
	if name == "" {
		name = "www.webhost.example"
	}
	certificate, err := l.certs.get(name, kind)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS10,
		NextProtos: []string{"h2", "http/1.1"}}
	if kind == oldTLS {
		config.MaxVersion = tls.VersionTLS11
	}
	return config, nil
}

// otherSites are the web servers of others than the subjects.
func (l *labWeb) otherSites() map[string]http.HandlerFunc {
	// The provider to which the MX of some subjects leads.
	other := subject{domain: "in.other.example", plant: plant{shape: edits{doc: []string{
		"in7.hoster.example", "in8.other.example", "out7.hoster.example", "out8.other.example"}}}}
	return map[string]http.HandlerFunc{
		"autoconfig.in.other.example": other.healthy("autoconfig"),
		// Microsoft asks for a sign-in.
		"autodiscover-s.outlook.com": demandPassword,
		"autodiscover.outlook.com": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", http.StatusFound)
		},
		"mail.oldhost.example": demandPassword,
		"www.webhost.example":  func(w http.ResponseWriter, r *http.Request) { homePage(w, r, nil) },
		// Mozilla's list has a file for one subject, of years ago.
		"live.thunderbird.net":       l.mozillaList,
		"autoconfig.thunderbird.net": l.mozillaList,
	}
}

func demandPassword(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("WWW-Authenticate", `Basic realm="mail"`)
	w.WriteHeader(http.StatusUnauthorized)
}

// mozillaList answers as Mozilla's list of providers does, with an old file for c15d1.example.
func (l *labWeb) mozillaList(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/c15d1.example") {
		nothingHere(w, r)
		return
	}
	s := subject{domain: "c15d1.example"}
	text := s.document(healthyDoc, nil, "https://"+r.Host)
	if !l.listMended.Load() {
		text = strings.NewReplacer("in7.hoster", "in8.other", "out7.hoster", "out8.other").Replace(text)
	}
	sendXML(w, text)
}
