package page

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor"
)

// form is what a person has filled in.
type form struct {
	Address string
	Clients []string
	Family  string // 4, 6 or empty for both
}

// readForm reads a form that was sent. It returns what is wrong with it, for the person.
func readForm(w http.ResponseWriter, r *http.Request) (f form, request Request, wrong string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return f, request, "This is not the form of this page."
	}
	f = form{Address: strings.TrimSpace(r.PostForm.Get("address")), Clients: r.PostForm["client"],
		Family: r.PostForm.Get("family")}
	request = Request{Clients: f.Clients, IPv4: f.Family == "4", IPv6: f.Family == "6"}
	if len(f.Address) > 320 {
		f.Address = ""
	}
	if _, err := doctor.Choose(f.Clients); err != nil {
		f.Clients = nil
		return f, request, "No client with this name is known."
	}
	address, err := parseAddress(f.Address)
	if err != nil {
		return f, request, "This is " + err.Error() + "."
	}
	request.Address = address
	return f, request, ""
}

// parseAddress reads an address or a domain.
func parseAddress(text string) (account.Address, error) {
	if strings.Contains(text, "@") {
		return account.ParseAddress(text)
	}
	domain, err := account.ParseDomain(text)
	if err != nil {
		return account.Address{}, err
	}
	if !strings.Contains(domain, ".") {
		return account.Address{}, errors.New("not an address, nor the name of a domain")
	}
	return doctor.AtDomain(domain)
}

// choice is a client in the form.
type choice struct {
	ID, Title string
	Chosen    bool
}

// choices returns all clients.
func (f form) choices() []choice {
	clients, _ := doctor.Choose(nil)
	var list []choice
	for _, c := range clients {
		list = append(list, choice{c.ID, strings.TrimSpace(c.Name + " " + c.Version), slices.Contains(f.Clients, c.ID)})
	}
	return list
}
