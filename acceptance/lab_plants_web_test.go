package acceptance

import (
	"io"
	"net/http"
	"strings"
)

// webPlants are faults of web servers.
var webPlants = []plant{
	web("h1", "H1", homePage, "nothing"),
	web("h2", "H2", func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.WriteHeader(http.StatusNoContent)
	}, "nothing"),
	web("h3", "H3", func(w http.ResponseWriter, r *http.Request, healthy http.HandlerFunc) {
		healthy(plainText{w}, r)
	}, "nothing"),
	web("h4", "H4", func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		http.Redirect(w, r, "https://www.webhost.example/", http.StatusMovedPermanently)
	}, "nothing"),
	web("h5", "H5", func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusFound)
	}, "https://@"),
	{
		name: "h6", faults: []string{"H6"}, shape: autoconfigAlone,
		fault: edits{
			web: map[string]behaviour{"http autoconfig": func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
				http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusFound)
			}},
			certificate: map[string]certificateKind{"autoconfig": foreignName},
		},
		tb: "nothing",
	},
	web("h8", "H8", locked, "https://@"),
	{
		name: "h9", faults: []string{"H9"}, shape: edits{web: noAutodiscover},
		fault: edits{web: map[string]behaviour{"autodiscover": locked}},
		tb:    "https://autoconfig.@",
	},
	{
		name: "h12", faults: []string{"H12"},
		fault: edits{web: map[string]behaviour{"autodiscover": lowerCaseOnly}},
		tb:    "https://autoconfig.@",
	},
	{
		name: "h13", faults: []string{"H13"},
		fault: edits{web: map[string]behaviour{"autoconfig": wantsAddress, "@": wantsAddress}},
		tb:    "https://autoconfig.@",
	},
	{
		// The host's port 443 accepts connections and says nothing.
		name: "h15", faults: []string{"H15"}, shape: edits{web: noAutodiscover},
		fault:  edits{zone: []string{"-autoconfig", "autoconfig A " + hangIP}},
		mended: []string{"-autoconfig", "autoconfig A " + webIP},
		tb:     "https://@",
	},
	{
		// The SRV record leads to a good server. The web site at the domain takes the question.
		name: "h18", faults: []string{"H18"},
		shape: edits{
			zone: []string{"-autodiscover", "-autoconfig", "_autodiscover._tcp SRV 0 0 443 setup.@.", "setup A " + webIP},
			web: map[string]behaviour{"@": notFound, "setup": func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
				answerPOX(w, r, "setup")
			}},
		},
		fault: edits{web: map[string]behaviour{"@": func(w http.ResponseWriter, r *http.Request, healthy http.HandlerFunc) {
			if r.Method == http.MethodPost {
				homePage(w, r, healthy)
				return
			}
			nothingHere(w, r)
		}}},
		tb: "nothing",
	},
}

// web is a plant at the host autoconfig of a domain whose .well-known file is good.
func web(name, fault string, b behaviour, tb string) plant {
	return plant{
		name: name, faults: []string{fault}, shape: edits{web: noAutodiscover},
		fault: edits{web: map[string]behaviour{"autoconfig": b}}, tb: tb,
	}
}

func notFound(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) { nothingHere(w, r) }

func locked(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) { demandPassword(w, r) }

func lowerCaseOnly(w http.ResponseWriter, r *http.Request, healthy http.HandlerFunc) {
	if r.URL.Path != "/autodiscover/autodiscover.xml" {
		nothingHere(w, r)
		return
	}
	healthy(w, r)
}

// homePage is a web site that shows its start page whatever the path.
func homePage(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, "<!DOCTYPE html><html><head><title>Welcome</title></head><body><br>Welcome</body></html>")
}

// toOldHost sends the question on as a former provider does.
func toOldHost(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
	http.Redirect(w, r, "https://mail.oldhost.example"+r.URL.Path, http.StatusFound)
}

func toMicrosoft(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
	http.Redirect(w, r, "https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", http.StatusFound)
}

// wantsAddress refuses a question without an address.
func wantsAddress(w http.ResponseWriter, r *http.Request, healthy http.HandlerFunc) {
	if r.URL.Query().Get("emailaddress") == "" && r.Method == http.MethodGet {
		http.Error(w, "no address", http.StatusBadRequest)
		return
	}
	healthy(w, r)
}

// plainText sends everything as text.
type plainText struct{ http.ResponseWriter }

func (p plainText) Header() http.Header { return p.ResponseWriter.Header() }

func (p plainText) Write(b []byte) (int, error) {
	p.Header().Set("Content-Type", "text/plain; charset=utf-8")
	return p.ResponseWriter.Write(b)
}

// answerPOX answers as the host autodiscover does, at another host.
func answerPOX(w http.ResponseWriter, r *http.Request, label string) {
	s := subject{domain: r.Host[len(label)+1:]}
	s.healthy("autodiscover")(w, r)
}

// cutAfter sends the document up to and with the text.
func cutAfter(text string) behaviour {
	return func(w http.ResponseWriter, r *http.Request, healthy http.HandlerFunc) { healthy(&cut{w, text}, r) }
}

type cut struct {
	http.ResponseWriter
	after string
}

func (c *cut) Write(b []byte) (int, error) {
	kept, _, _ := strings.Cut(string(b), c.after)
	_, err := io.WriteString(c.ResponseWriter, kept+c.after)
	return len(b), err
}
