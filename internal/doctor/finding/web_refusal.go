package finding

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/doctor/probe"
)

// protected finds H8.
func protected(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		if !p.isDocumentPlace() || last.Answer.Failure != nil || last.Answer.Status != 401 {
			return ""
		}
		return fmt.Sprintf("%s asks for a password, which no client has yet.", withoutQuery(p.Question.URL))
	}), webCure("open "+autoconfigPath+" and "+wellKnownPath+" for everybody"))
}

// challenges finds H9.
func challenges(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		if p.Kind != atAutodiscover || last.Answer.Failure != nil || last.Answer.Status != 401 || isExchange(last) {
			return ""
		}
		return fmt.Sprintf("%s asks for a password as Exchange does, but is not Exchange.",
			withoutQuery(p.Question.URL))
	}), webCure("answer 404 at "+autodiscoverPath+", or the XML error 601, without asking for a password"), "K5")
}

// isExchange reports whether a real Exchange server may ask for the password: it offers
// Windows' own ways, or says who it is.
func isExchange(h Hop) bool {
	ways := strings.ToLower(h.Answer.Header["Www-Authenticate"])
	server := strings.ToLower(h.Answer.Header["Server"])
	return strings.Contains(ways, "ntlm") || strings.Contains(ways, "negotiate") || strings.Contains(ways, "bearer") ||
		strings.Contains(server, "microsoft") || slices.Contains(microsoftSites, siteOf(h.host()))
}

// puzzles are parts of pages by which filters keep robots out.
var puzzles = []string{"cf-chl", "just a moment...", "challenge-platform",
	"attention required! | cloudflare", "_incapsula_", "captcha", "ddos protection",
	"sucuri website firewall", "are you a robot"}

func isPuzzle(h Hop) bool {
	a := h.Answer
	if a.Failure != nil {
		return false
	}
	if a.Header["Cf-Mitigated"] != "" {
		return true
	}
	if a.Status != 403 && a.Status != 503 && a.Status != 429 && a.Status != 200 {
		return false
	}
	body := bytes.ToLower(a.Body)
	return h.contentType() == "text/html" && slices.ContainsFunc(puzzles, func(part string) bool {
		return bytes.Contains(body, []byte(part)) && (a.Status != 200 || part == "cf-chl" || part == "_incapsula_")
	})
}

// botFilters finds H10.
func botFilters(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		if !isPuzzle(p.Last()) {
			return ""
		}
		return fmt.Sprintf("A bot filter answers at %s in place of the server (%d).",
			p.URL.Host, p.Last().Answer.Status)
	}), webCure("exempt "+autoconfigPath+", "+wellKnownPath+" and "+autodiscoverPath+" from the bot filter"),
		"H1", "H18", "H19", "H21")
}

// originDown finds H11. The states are Cloudflare's own.
func originDown(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		status := last.Answer.Status
		if last.Answer.Failure != nil || (status < 520 || status > 527) && status != 530 {
			return ""
		}
		return fmt.Sprintf("Cloudflare cannot reach the server behind %s (%d).", p.URL.Host, status)
	}), func(host string) []Cure {
		return []Cure{{Who: YourDNS, Text: "let " + host + " lead straight to the server (“DNS only”)"}}
	}, "H19")
}

// serverErrors finds H19.
func serverErrors(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		if last.Answer.Failure != nil || last.Answer.Status/100 != 5 || c.hasAutodiscover(last) ||
			p.Kind == atAutodiscover && p.Question.Method != "POST" {
			return ""
		}
		return fmt.Sprintf("%s answers %d: the program behind the web server fails.",
			withoutQuery(p.Question.URL), last.Answer.Status)
	}), webCure("see its log at this minute"))
}

// tooMany finds H21.
func tooMany(_ context.Context, c *Case) []Finding {
	requests := map[string]int{}
	for q, a := range c.Asker.Webs() {
		if a.Failure == nil {
			requests[Hop{q, a}.host()]++
		}
	}
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		if last.Answer.Failure != nil || last.Answer.Status != 429 {
			return ""
		}
		return fmt.Sprintf("%s answers 429 after no more than %d requests: "+
			"colleagues behind one address block each other.",
			last.host(), requests[last.host()])
	}), webCure("allow more requests in a short time from one address"))
}

// silence finds H15.
func silence(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		a := p.Last().Answer
		if a.Failure == nil || a.Failure.Kind != probe.TimedOut {
			return ""
		}
		port := 443
		if strings.HasPrefix(p.Last().Question.URL, "http://") {
			port = 80
		}
		return fmt.Sprintf("%s does not answer on port %d: Thunderbird waits 5 s for it, "+
			"Delta Chat 60 s for each address.",
			p.Last().host(), port)
	}), func(host string) []Cure {
		return []Cure{{Who: WebServer(host),
			Text:  "answer, or refuse connections at once (firewall: reject instead of drop)",
			Serve: refuse(host)}}
	})
}
