package doctor

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestDocumentedJSON looks for every member of the reports of the worked examples in
// docs/json.md.
func TestDocumentedJSON(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## doctor -json\n")
	if !ok {
		t.Fatal("docs/json.md has no section doctor -json")
	}
	w, own := oldInstance(t)
	reports := []*Report{
		example(),
		examineTown(t, threeFaults(t), "anna@nordlys.example", nil),
		examineTown(t, expiredAt465(t), "nobody@nordlys.example", nil),
		examineTown(t, w, "anna@nordlys.example", own),
	}
	seen := map[string]bool{}
	for _, r := range reports {
		printed, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(printed, &value); err != nil {
			t.Fatalf("the report is not JSON: %v\n%s", err, printed)
		}
		members(value, "", seen)
	}
	if len(seen) < 60 {
		t.Errorf("the reports have only %d members", len(seen))
	}
	for name := range seen {
		if strings.Contains(name, "servers[].") {
			continue // as in show -json
		}
		if !strings.Contains(section, "\n| `"+name+"` |") {
			t.Errorf("docs/json.md does not explain %q", name)
		}
	}
}

// members adds the names of all members of a JSON value, as docs/json.md has them.
func members(value any, prefix string, seen map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			seen[prefix+name] = true
			members(inner, prefix+name+".", seen)
		}
	case []any:
		for _, inner := range value {
			members(inner, strings.TrimSuffix(prefix, ".")+"[].", seen)
		}
	}
}
