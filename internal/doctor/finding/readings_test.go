package finding

import (
	"testing"

	"signpost/account"
)

// TestReadings reads a body once for all who ask, and another body anew.
func TestReadings(t *testing.T) {
	a, err := account.ParseAddress("anna@nordlys.example")
	if err != nil {
		t.Fatal(err)
	}
	var r readings
	body := []byte(`<clientConfig/>`)
	first := r.of(body, a)
	if again := r.of([]byte(string(body)), a); again != first {
		t.Error("the same body at another place is read once more, want the first reading")
	}
	if other := r.of([]byte(`<Autodiscover/>`), a); other == first {
		t.Error("another body has the first one's reading")
	}
	if x := first.xml(); x.Root == nil || x.Root.Name != "clientConfig" {
		t.Errorf("the reading's XML is %+v, want clientConfig", x)
	}
	if m := first.tolerant(); m.Format != "" {
		t.Errorf("a document without servers has the format %s, want none", m.Format)
	}
}
