package autodiscover

import (
	"fmt"
	"strings"
	"testing"
)

// agree fails unless a known says of a body what scan does.
func agree(t *testing.T, k *requestCache, body string) {
	t.Helper()
	want, wantErr := scan([]byte(body))
	got, err := k.scan([]byte(body))
	if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("got %+v, %v; scan says %+v, %v of\n%s", got, err, want, wantErr, body)
	}
}

func (k *requestCache) len() int { return len(k.requests) }

func TestKnown(t *testing.T) {
	const other = "<EMailAddress>b@b.example</EMailAddress>"
	in := func(rest string) string { return "<Autodiscover><Request>" + rest + "</Request></Autodiscover>" }
	for _, row := range []struct {
		name, body string // with $ for the address
		kept       int
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
			var k requestCache
			for _, address := range []string{"anna@example.com", "anna@example.com", "eve+tag@EXAMPLE.org", "x", "%EMAILADDRESS%", "a&amp;b@example.com", "ö@example.com", "a\x00b@example.com", "<b>", "-->", "]]>",
				"a\xff@example.com", "a\x7f@example.com", "a\ufffe@example.com", "a\x1f@example.com", "a b@example.com", "a\r@example.com"} {
				agree(t, &k, strings.ReplaceAll(row.body, "$", address))
			}
			if k.len() != row.kept {
				t.Errorf("%d are remembered, want %d", k.len(), row.kept)
			}
		})
	}
}

// TestKnownIsBounded: what strangers send does not pile up, and does not keep
// others from being remembered.
func TestKnownIsBounded(t *testing.T) {
	var k requestCache
	for i := range 3 * maxRequests {
		agree(t, &k, pox("a@example.com", nsOutlook)+strings.Repeat(" ", i))
		if k.len() > maxRequests {
			t.Fatalf("%d are remembered", k.len())
		}
	}
	agree(t, &k, pox("a@example.com", nsMobileSync))
	if _, ok := k.requests[strings.Replace(pox("a@example.com", nsMobileSync), "a@example.com", "\x00", 1)]; !ok {
		t.Error("the newest is not remembered")
	}
}

// FuzzKnown: no body makes a known say anything else of any address than scan.
func FuzzKnown(f *testing.F) {
	for _, c := range hostile {
		if len(c.body) < 2*MaxBody {
			f.Add(c.body, "anna@example.com", "b")
		}
	}
	f.Add(pox("$", nsOutlook), "anna@example.com", "eve@example.org")
	f.Add("<Autodiscover><Request><!--<EMailAddress>$</EMailAddress>--><EMailAddress>$</EMailAddress></Request></Autodiscover>", "a@b.example", "c@d.example")
	f.Fuzz(func(t *testing.T, body, one, another string) {
		var k requestCache
		for _, address := range []string{one, another, one} {
			agree(t, &k, strings.ReplaceAll(body, "$", address))
		}
	})
}
