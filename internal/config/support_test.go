package config

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
)

// supported is a configuration with everything for people.
const supported = `
branding:
  name: Example Mail
  logo: logo
  accent: "#1B55A6"
  contact: {url: "https://example.com/contact"}
  templates: .
providers:
  - id: example
    displayName: Example Mail
    domains: [example.com]
    servers:
      - {type: imap, hostname: mail.example.com}
      - {type: smtp, hostname: mail.example.com}
    support:
      status: https://status.example.com
      passwordReset: https://example.com/reset?domain=%EMAILDOMAIN%
      controlPanel: https://panel.example.com/
      contact: {url: "https://example.com/help", email: Help@Example.COM, phone: "+46 8 123 45 67"}
      sendingLimits: {perAddress: 300, perDomain: 2000, wait: 60m}
      checks:
        - {en: "Is the invoice paid?", sv: "Är fakturan betald?"}
        - {sv: "Är du utomlands?"}
    notices:
      - {from: 2009-08-01, until: 2009-12-31, text: {en: New user names, sv: Nya användarnamn}, url: "https://example.com/new"}
      - {text: {en: For good}}
`

func TestSupportAndBranding(t *testing.T) {
	picture := "\x89PNG\r\n\x1a\n" + "the rest"
	file := write(t, "signpost.yaml", supported, "logo", picture)
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.Local) }
	p := c.Providers[0]
	want := account.Support{
		Status:        "https://status.example.com",
		PasswordReset: "https://example.com/reset?domain=%EMAILDOMAIN%",
		ControlPanel:  "https://panel.example.com/",
		Contact:       account.Contact{URL: "https://example.com/help", Email: "Help@example.com", Phone: "+46 8 123 45 67"},
		Limits:        account.SendingLimits{PerAddress: 300, PerDomain: 2000, Wait: time.Hour},
		Checks: [][]account.Title{
			{{Language: "en", Text: "Is the invoice paid?"}, {Language: "sv", Text: "Är fakturan betald?"}},
			{{Language: "sv", Text: "Är du utomlands?"}},
		},
	}
	if diff := cmp.Diff(want, p.Support); diff != "" {
		t.Errorf("support (-want +got):\n%s", diff)
	}
	notices := []account.Notice{
		{From: day(2009, 8, 1), Until: day(2010, 1, 1), URL: "https://example.com/new", Texts: []account.Title{
			{Language: "en", Text: "New user names"}, {Language: "sv", Text: "Nya användarnamn"}}},
		{Texts: []account.Title{{Language: "en", Text: "For good"}}},
	}
	if diff := cmp.Diff(notices, p.Notices); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	b := c.Branding
	if b.Name != "Example Mail" || b.Logo.MediaType != "image/png" || string(b.Logo.Data) != picture ||
		b.Accent.String() != "#1b55a6" || b.Contact.URL != "https://example.com/contact" || b.TemplateDir == "" {
		t.Errorf("Branding = %+v, want what the file says", b)
	}
	if len(c.Files) != 2 {
		t.Errorf("Files = %q, want the configuration and the logo", c.Files)
	}
}

// TestLanguages checks that each language has one form, whatever the file says.
func TestLanguages(t *testing.T) {
	for text, want := range map[string]string{
		"en": "en", "SV": "sv", "swe": "sv", "sv_se": "sv-SE", "sv-Latn": "sv", "pt-br": "pt-BR", "iw": "he", "nb": "nb", "zh-hant-tw": "zh-Hant-TW",
		"": "", "xx": "", "english": "", "sv-": "", "und": "", "und-SE": "", "root": "", "mul": "", "zxx": "", "x-ours": "", "en sv": "",
	} {
		got, ok := languageTag(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("languageTag(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
	written := strings.NewReplacer("{en: New user names, sv: Nya användarnamn}",
		"{en: New user names, sv_se: Nya användarnamn}",
		"{sv: \"Är du utomlands?\"}", "{SWE: \"Är du utomlands?\"}").Replace(supported)
	c, err := Load(write(t, "signpost.yaml", written, "logo", "\x89PNG\r\n\x1a\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := c.Providers[0]
	if got := p.Notices[0].Texts; !slices.Contains(got, account.Title{Language: "sv-SE", Text: "Nya användarnamn"}) {
		t.Errorf("notices[0].text = %+v, want a text in sv-SE", got)
	}
	if got := p.Support.Checks[1]; len(got) != 1 || got[0].Language != "sv" {
		t.Errorf("support.checks[1] = %+v, want one text in sv", got)
	}
}

func TestPictureType(t *testing.T) {
	for want, data := range map[string]string{
		"image/png":     "\x89PNG\r\n\x1a\n",
		"image/jpeg":    "\xff\xd8\xff\xe0",
		"image/gif":     "GIF89a",
		"image/webp":    "RIFF\x00\x00\x00\x00WEBPVP8 ",
		"image/svg+xml": `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`,
	} {
		if got := pictureType(data); got != want {
			t.Errorf("pictureType(%q) = %q, want %q", data, got, want)
		}
	}
	for _, data := range []string{"", "text", "<html></html>", "%PDF-1.4"} {
		if got := pictureType(data); got != "" {
			t.Errorf("pictureType(%q) = %q, want none", data, got)
		}
	}
}

func TestLogoTooLarge(t *testing.T) {
	data := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{0}, maxLogo)...)
	_, err := Load(write(t, "signpost.yaml", supported, "logo", string(data)))
	if err == nil || !strings.Contains(err.Error(), "branding.logo: ") ||
		!strings.Contains(err.Error(), "is larger than 64 KiB") {
		t.Errorf("Load() error = %v, want that branding.logo is larger than 64 KiB", err)
	}
}
