package autodiscover

import (
	"fmt"
	"strings"
	"testing"
)

// checkScan checks that the cache returns what scan returns for the body.
func checkScan(t *testing.T, c *requestCache, body string) {
	t.Helper()
	want, wantErr := scan([]byte(body))
	got, err := c.scan([]byte(body))
	if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("the cache returns %+v, %v, want %+v, %v for\n%s", got, err, want, wantErr, body)
	}
}

// TestRequestCache checks what is cached, and that the cache never changes a result.
func TestRequestCache(t *testing.T) {
	const other = "<EMailAddress>b@b.example</EMailAddress>"
	in := func(rest string) string { return "<Autodiscover><Request>" + rest + "</Request></Autodiscover>" }
	for _, row := range []struct {
		name, body string // with $ for the address
		cached     int
	}{
		{"Outlook", pox("$", nsOutlook), 1},
		{"ActiveSync", pox("$", nsMobileSync), 1},
		{"in a comment", in("<!--<EMailAddress>$</EMailAddress>-->" + other), 0},
		{"in a comment, and the same outside", in("<!--<EMailAddress>$</EMailAddress>--><EMailAddress>$</EMailAddress>"), 0},
		{"in CDATA", in("<x><![CDATA[<EMailAddress>$</EMailAddress>]]></x>" + other), 0},
		{"in an attribute", in("<x a='<EMailAddress>$</EMailAddress>'/>" + other), 0},
		{"deeper", in("<x><EMailAddress>$</EMailAddress></x>" + other), 0},
		{"two", in("<EMailAddress>$</EMailAddress>" + other), 0},
		{"two Requests", in("<EMailAddress>$</EMailAddress></Request><Request>"), 0},
		{"beside text", in("<EMailAddress>$</EMailAddress>") + "x", 0},
		{"cut off", "<Autodiscover><Request><EMailAddress>$</EMailAddress>", 0},
		{"long", pox("$", nsOutlook) + strings.Repeat(" ", maxRequestSize), 0},
		{"with space", in("<EMailAddress> $ </EMailAddress>"), 0},
		{"escaped", in("<EMailAddress>&#97;$</EMailAddress>"), 0},
		{"empty before", in("<EMailAddress></EMailAddress>" + other), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			var c requestCache
			for _, address := range []string{"anna@example.com", "anna@example.com", "eve+tag@EXAMPLE.org", "x",
				"%EMAILADDRESS%", "a&amp;b@example.com", "ö@example.com", "a\x00b@example.com", "<b>", "-->", "]]>",
				"a\xff@example.com", "a\x7f@example.com", "a\ufffe@example.com", "a\x1f@example.com", "a b@example.com",
				"a\r@example.com"} {
				checkScan(t, &c, strings.ReplaceAll(row.body, "$", address))
			}
			if len(c.requests) != row.cached {
				t.Errorf("%d requests are cached, want %d", len(c.requests), row.cached)
			}
		})
	}
}

// TestRequestCacheLimit checks that requests of strangers neither grow the cache
// beyond its limit nor keep later ones out.
func TestRequestCacheLimit(t *testing.T) {
	var c requestCache
	for i := range 3 * maxRequests {
		checkScan(t, &c, pox("a@example.com", nsOutlook)+strings.Repeat(" ", i))
		if len(c.requests) > maxRequests {
			t.Fatalf("%d requests are cached, want at most %d", len(c.requests), maxRequests)
		}
	}
	checkScan(t, &c, pox("a@example.com", nsMobileSync))
	if _, ok := c.requests[strings.Replace(pox("a@example.com", nsMobileSync), "a@example.com", "\x00", 1)]; !ok {
		t.Error("the newest request is not cached")
	}
}

// FuzzRequestCache checks that no body makes the cache return anything else than scan
// does, for any address.
func FuzzRequestCache(f *testing.F) {
	for _, h := range hostile {
		if len(h.body) < 2*MaxBody {
			f.Add(h.body, "anna@example.com", "b")
		}
	}
	f.Add(pox("$", nsOutlook), "anna@example.com", "eve@example.org")
	f.Add("<Autodiscover><Request><!--<EMailAddress>$</EMailAddress>--><EMailAddress>$</EMailAddress></Request></Autodiscover>", "a@b.example", "c@d.example")
	f.Fuzz(func(t *testing.T, body, one, another string) {
		var c requestCache
		for _, address := range []string{one, another, one} {
			checkScan(t, &c, strings.ReplaceAll(body, "$", address))
		}
	})
}
