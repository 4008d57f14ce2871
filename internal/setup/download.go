package setup

import (
	"net/http"
	"strconv"

	"rsc.io/qr"

	"signpost/account"
	"signpost/internal/setup/phone"
)

// What can be had for an address besides the page, each with the page's own parameters.
const (
	// appFilePath is the settings file for Thunderbird for Android and K-9 Mail.
	appFilePath = "/setup/account.k9s"
	// pictureFilePath is the QR code of the page's URL as a picture, for welcome mails.
	pictureFilePath = "/setup/code.png"
)

// settingsFor looks up Thunderbird's settings for the address of a request, and answers it if there
// are none. No cache keeps such an answer: the domain may be served in a minute.
func (h *handler) settingsFor(w http.ResponseWriter, r *http.Request) (account.Settings, request, bool) {
	w.Header().Set("Cache-Control", "no-store")
	q, ok := readRequest(r)
	parsed, problem := parseInput(q.input)
	if !ok || problem != "" || parsed.guessed {
		http.Error(w, "the address is missing or not one", http.StatusBadRequest)
		return account.Settings{}, q, false
	}
	c, err := h.lookUp(r.Context(), parsed.address)
	switch {
	case account.IsUnknown(err):
		http.Error(w, "the domain of this address is not served here", http.StatusNotFound)
	case err != nil:
		w.Header().Set("Retry-After", "60")
		http.Error(w, "the settings cannot be looked up now, please try again", http.StatusServiceUnavailable)
	}
	return c.thunderbird, q, err == nil
}

// serveAppFile answers with the settings file for an address.
func (h *handler) serveAppFile(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Robots-Tag", "noindex")
	s, q, ok := h.settingsFor(w, r)
	if !ok {
		return
	}
	file, ok := phone.SettingsFile(s, q.name)
	if !ok {
		http.Error(w, "these apps cannot use the settings of this address", http.StatusNotFound)
		return
	}
	// Both apps open the file themselves; nothing else should.
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Disposition", `attachment; filename="`+s.Address.Domain()+`.k9s"`)
	send(w, r, file)
}

// servePicture answers with the QR code of the page's URL for an address. Mail programs in browsers
// load it from welcome mails, as from another site.
func (h *handler) servePicture(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("X-Robots-Tag", "noindex")
	s, q, ok := h.settingsFor(w, r)
	if !ok {
		return
	}
	page, _ := h.forPhone(links{address: s.Address.String(), name: q.name, lang: q.language})
	picture, err := qr.Encode(page, qr.M)
	if page == "" || err != nil {
		http.Error(w, "there is no code for this address", http.StatusNotFound)
		return
	}
	header.Set("Cache-Control", "private, max-age=86400")
	header.Set("Content-Type", "image/png")
	send(w, r, picture.PNG())
}

func send(w http.ResponseWriter, r *http.Request, data []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method != http.MethodHead {
		w.Write(data) // an error means that the client has gone
	}
}
