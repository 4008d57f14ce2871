package setup

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"
)

const embedded = "https://www.example.com"

// words returns the texts of a document, the elements around them left out.
func words(t testing.TB, document string) map[string]bool {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			texts[strings.TrimSpace(n.Data)] = true
		}
	}
	return texts
}

// TestFragment checks that a fragment has nothing around its content and no script, that
// it says nothing that the page does not, and that its URLs lead to the service.
func TestFragment(t *testing.T) {
	resolve, o := load(t, "mamut")
	o.Name = "setup.example.com"
	h := Handler(resolve, o)
	foreign := regexp.MustCompile(`<(html|head|body|meta|title|script|style|nav|main)\b|<[^>]* (style|on[a-z]+)=`)
	urls := regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	for query, status := range map[string]int{
		"": 200, "emailaddress=": 400, "emailaddress=anna": 400, "emailaddress=anna@exmaple.com": 404,
		"emailaddress=mail@domain.se": 200, "emailaddress=info@domain.se&device=all&name=Anna&lang=sv": 200,
	} {
		w := get(t, h, "/?"+query+"&format=fragment")
		fragment := w.Body.String()
		if w.Code != status {
			t.Errorf("query %q: status %d, want %d", query, w.Code, status)
		}
		if !strings.HasPrefix(fragment, `<link rel="stylesheet" href="https://setup.example.com/setup/fragment.css?v=`) ||
			!strings.HasSuffix(fragment, "</section>\n") {
			t.Errorf("query %q: the fragment is %.100q…, want a link and one section", query, fragment)
		}
		if tag := foreign.FindString(fragment); tag != "" {
			t.Errorf("query %q: the fragment has %s", query, tag)
		}
		known := words(t, get(t, h, "/?"+query).Body.String())
		for text := range words(t, fragment) {
			if !known[text] {
				t.Errorf("query %q: the fragment says %q, which the page does not", query, text)
			}
		}
		for _, match := range urls.FindAllStringSubmatch(fragment, -1) {
			if !regexp.MustCompile(`^(https:|mailto:|tel:)`).MatchString(match[1]) {
				t.Errorf("query %q: the fragment has the URL %q, which in another site leads elsewhere",
					query, match[1])
			}
		}
	}
}

// TestEmbeddedBy checks that only sites of the operator may show the page in a frame, and
// only their scripts may read a fragment, never the page.
func TestEmbeddedBy(t *testing.T) {
	resolve, o := load(t, "mamut")
	for _, sites := range [][]string{nil, {embedded, "https://example.org:8443"}} {
		o.Branding.EmbeddedBy = sites
		h := Handler(resolve, o)
		for _, format := range []string{"fragment", "html", "text"} {
			for _, origin := range []string{embedded, "https://elsewhere.example", "null", ""} {
				header := get(t, h, "/?emailaddress=mail@domain.se&format="+format, "Origin", origin).Header()
				want := ""
				if sites != nil && format == "fragment" && origin == embedded {
					want = embedded
				}
				if got := header.Get("Access-Control-Allow-Origin"); got != want {
					t.Errorf("sites %q, format %s, Origin %q: Access-Control-Allow-Origin %q, want %q",
						sites, format, origin, got, want)
				}
				if sites != nil && format == "fragment" &&
					!strings.Contains(strings.Join(header.Values("Vary"), ", "), "Origin") {
					t.Errorf("sites %q, format %s: Vary %q lacks Origin", sites, format, header.Values("Vary"))
				}
				ancestors := "frame-ancestors 'none';"
				if sites != nil {
					ancestors = "frame-ancestors " + strings.Join(sites, " ") + ";"
				}
				if got := header.Get("Content-Security-Policy"); !strings.Contains(got, ancestors) {
					t.Errorf("sites %q, format %s: Content-Security-Policy %q, want %q in it",
						sites, format, got, ancestors)
				}
			}
		}
	}
}

// TestFragmentInSite shows a fragment inside a page of another site in the browser, whose
// policy allows no script: the fragment has its style, and the rest of that page does not.
func TestFragmentInSite(t *testing.T) {
	resolve, o := load(t, "mamut")
	o.Name = "setup.example.com"
	h := service(resolve, o)
	base := serve(t, h)
	site := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fragment := get(t, h, "/?emailaddress=info@domain.se&device=android&format=fragment").Body.String()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+base)
		io.WriteString(w, `<!doctype html><title>x</title><h1 id="theirs">x</h1><table><tr><td>x</table>`+
			strings.ReplaceAll(fragment, "https://setup.example.com/setup", base+"/setup")+`<p id="after">x</p>`)
	}))
	ctx := open(t)
	do(t, ctx, screen(false, false), chromedp.Navigate(site+"/"),
		chromedp.WaitVisible(chromedp.CSS(".signpost .server")))
	for script, want := range map[string]string{
		`getComputedStyle(document.querySelector(".signpost")).fontSize`:                  "17px",
		`getComputedStyle(document.querySelector(".signpost .card")).borderTopLeftRadius`: "14px",
		`getComputedStyle(document.querySelector(".signpost ol")).listStyleType`:          "none",
		`getComputedStyle(document.body).fontSize`:                                        "16px",
		`getComputedStyle(document.body).marginTop`:                                       "8px",
		`getComputedStyle(document.getElementById("theirs")).fontSize`:                    "32px",
		`getComputedStyle(document.getElementById("after")).marginTop`:                    "16px",
		`getComputedStyle(document.querySelector("td")).display`:                          "table-cell",
		`getComputedStyle(document.documentElement).getPropertyValue("--accent")`:         "",
		`String(document.querySelector(".signpost").scrollWidth <= innerWidth)`:           "true",
	} {
		if got := js[string](t, ctx, script); got != want {
			t.Errorf("%s = %q, want %q", script, got, want)
		}
	}
}
