package format

import (
	"fmt"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/importer/draft"
)

const relayDocument = `<clientConfig><emailProvider id="a.example">%s
<incomingServer type="imap"><hostname>a.example</hostname><hostname>b.example</hostname><port>993</port>
<socketType>SSL</socketType><username>%%EMAILADDRESS%%</username></incomingServer>
<outgoingServer type="smtp"><hostname>a.example</hostname><port>25</port><socketType>plain</socketType>
<authentication>none</authentication></outgoingServer></emailProvider></clientConfig>`

// TestAutoconfigLarge reads a document with more domains than a stranger's may have, in which
// a value stands twice.
func TestAutoconfigLarge(t *testing.T) {
	var domains strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&domains, "<domain>d%d.example</domain>\n", i)
	}
	var d draft.Draft
	f := File{Path: "a.xml", Data: fmt.Appendf(nil, relayDocument, domains.String())}
	if err := autoconfigXML.Read([]File{f}, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Products) != 1 || len(d.Products[0].Domains) != 20_000 {
		t.Fatalf("the draft has %d products, want one with 20000 domains", len(d.Products))
	}
	servers := d.Products[0].Provider.Servers
	if servers[0].Hostname != "a.example" || servers[1].Authentication[0] != account.NoAuthentication {
		t.Errorf("servers = %+v, want the first hostname and a relay", servers)
	}
	if len(d.Lost) != 1 || d.Lost[0].Place.Line != 20_002 {
		t.Errorf("Lost = %v, want the second hostname", d.Lost)
	}
}

// TestAutoconfigUTF16 recognises a document in UTF-16.
func TestAutoconfigUTF16(t *testing.T) {
	data := []byte{0xff, 0xfe}
	for _, c := range []byte("<clientConfig/>") {
		data = append(data, c, 0)
	}
	if !autoconfigXML.Is(File{Data: data}) {
		t.Error("Is = false for a document in UTF-16, want true")
	}
}

// TestFileName says where a file is named after a domain that it does not name.
func TestFileName(t *testing.T) {
	const text = "<clientConfig><emailProvider><domain>a.example</domain><incomingServer type='imap'>" +
		"<hostname>imap.a.example</hostname><port>993</port></incomingServer></emailProvider></clientConfig>"
	for name, want := range map[string]bool{
		"db/a.example": false, "db/A.example.xml": false, "config-v1.1.xml": false, "ispdb.xml": false, "a.txt": false,
		"db/b.example": true, "db/b.example.xml": true,
	} {
		var d draft.Draft
		if err := byName(t, "autoconfig").Read([]File{{Path: name, Data: []byte(text)}}, &d); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(told(&d), "the file is named after b.example"); got != want {
			t.Errorf("%s: the name of the file is named as lost: %t, want %t", name, got, want)
		}
	}
}
