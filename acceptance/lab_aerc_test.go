package acceptance

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// judgeAerc lets aerc search for the servers of each subject, several at a time, each in a
// terminal of its own. aerc 0.14 asks for SRV records only.
func judgeAerc(t *testing.T, atOnce int, all ...subject) map[string]judged {
	var mu sync.Mutex
	seen := map[string]judged{}
	places := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for _, s := range all {
		group.Add(1)
		go func() {
			defer group.Done()
			places <- struct{}{}
			defer func() { <-places }()
			j := aercSearch(t, s)
			mu.Lock()
			seen[s.address()] = j
			mu.Unlock()
		}()
	}
	group.Wait()
	return seen
}

// aercSearch goes through aerc's wizard until it shows both servers.
func aercSearch(t *testing.T, s subject) judged {
	began := time.Now()
	home := filepath.Join(work, "aerc", s.domain)
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Error(err)
		return judged{}
	}
	pane := &pane{name: strings.ReplaceAll(s.domain, ".", "-")}
	pane.tmux("new-session", "-d", "-s", pane.name, "-x", "120", "-y", "50",
		"env XDG_CONFIG_HOME="+home+" SSL_CERT_FILE="+os.Getenv("SSL_CERT_FILE")+" aerc")
	defer pane.tmux("kill-session", "-t", pane.name)
	pane.until("Your email address?")
	for _, text := range []string{"Work", "Anna Svensson", s.address()} {
		pane.tmux("send-keys", "-t", pane.name, "-l", text)
		pane.tmux("send-keys", "-t", pane.name, "Tab")
	}
	j := judged{}
	pane.press("[Next]", "Configure incoming mail")
	j.Incoming = pane.server("imap")
	pane.press("[Next]", "Configure outgoing mail")
	j.Outgoing = pane.server("smtp")
	// It fills in the domain itself where it has found nothing.
	for _, found := range []*server{&j.Incoming, &j.Outgoing} {
		if found.Hostname == s.domain {
			*found = server{}
		} else {
			j.Source = "DNS SRV"
		}
	}
	j.Failed, j.Seconds = pane.failed, time.Since(began).Seconds()
	return j
}

// aercURL is the line in which aerc says to what it will connect.
var aercURL = regexp.MustCompile(`Connection URL: +(\S+)://(?:([^@\s]*)@)?(\S+?)(?::(\d+))?(?:\s|$)`)

// aercSecurity are the schemes of aerc's URLs and their default ports.
var aercSecurity = map[string]server{
	"imaps":         {Port: 993, SocketType: "SSL"},
	"imap":          {Port: 143, SocketType: "STARTTLS"},
	"imap+insecure": {Port: 143, SocketType: "plain"},
	"smtps+plain":   {Port: 465, SocketType: "SSL"},
	"smtp+plain":    {Port: 587, SocketType: "STARTTLS"},
}

// server reads the server on a page of the wizard.
func (p *pane) server(kind string) server {
	screen := p.until("Connection URL:")
	match := aercURL.FindStringSubmatch(screen)
	if match == nil {
		return server{Hostname: strings.Join(strings.Fields(screen), " ")}
	}
	s := aercSecurity[match[1]]
	s.Type, s.Hostname = kind, match[3]
	if s.SocketType == "" {
		s.SocketType = match[1]
	}
	s.Username, _ = url.PathUnescape(match[2])
	if match[4] != "" {
		s.Port, _ = strconv.Atoi(match[4])
	}
	return s
}

// pane is a terminal of tmux with a name.
type pane struct{ name, failed string }

func (p *pane) tmux(args ...string) string {
	out, err := tmux(args...)
	if err != nil && p.failed == "" {
		p.failed = err.Error()
	}
	return out
}

// until waits until the screen has the text, and returns it.
func (p *pane) until(text string) string {
	for deadline := time.Now().Add(stepTimeout); p.failed == ""; time.Sleep(100 * time.Millisecond) {
		screen := p.tmux("capture-pane", "-p", "-t", p.name)
		if strings.Contains(screen, text) {
			return screen
		}
		if time.Now().After(deadline) {
			p.failed = "the screen does not show " + text + ": " + screen
		}
	}
	return ""
}

// press moves to a button with Tab and presses it, until the screen has the text.
func (p *pane) press(button, text string) {
	wanted := regexp.MustCompile(`\x1b\[7m` + regexp.QuoteMeta(button))
	for range 60 {
		screen := p.tmux("capture-pane", "-e", "-p", "-t", p.name)
		switch {
		case strings.Contains(screen, text):
			return
		case wanted.MatchString(screen):
			p.tmux("send-keys", "-t", p.name, "Enter")
		default:
			p.tmux("send-keys", "-t", p.name, "Tab")
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.failed = button + " does not lead to " + text
}
