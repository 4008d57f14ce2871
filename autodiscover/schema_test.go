package autodiscover

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// xmllint validates files against the schemas in testdata with an independent parser.
func xmllint(t *testing.T, files ...string) error {
	t.Helper()
	program, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatal("xmllint is not installed")
		}
		t.Skip("xmllint is not installed")
	}
	args := append([]string{"--noout", "--nonet", "--schema", "testdata/autodiscover.xsd"}, files...)
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "fails to validate") {
		t.Fatalf("xmllint: %v\n%s", err, out)
	}
	if err != nil {
		t.Logf("%s", out)
	}
	return err
}

// TestSchemas checks that every golden answer is valid.
func TestSchemas(t *testing.T) {
	files, err := filepath.Glob(goldenDir + "*.xml")
	if err != nil || len(files) < 15 {
		t.Fatalf("Glob: %d golden answers, %v, want at least 15", len(files), err)
	}
	if xmllint(t, files...) != nil {
		t.Error("xmllint: a golden answer is not valid, see above")
	}
}

// TestSchemasCanFail checks that the schemas refuse the mistakes that they are for.
func TestSchemasCanFail(t *testing.T) {
	for _, c := range []struct{ name, file, old, new string }{
		{"User before Culture", "activesync.xml", "<Culture>en:us</Culture>\n    ", ""},
		{"Culture with a hyphen", "activesync.xml", "en:us", "en-us"},
		{"Url before Type", "activesync.xml", "<Type>MobileSync</Type>", ""},
		{"a LoginName for phones", "activesync.xml", "<Type>", "<LoginName>anna</LoginName><Type>"},
		{"no User address", "activesync.xml", "<EMailAddress>anna@eas.example</EMailAddress>", ""},
		{"white space in Url", "activesync.xml", "<Url>", "<Url> "},
		{"an error in the schema of phones", "error-601.xml", "<Response>", `<Response xmlns="` + nsMobileSync + `">`},
		{"an error in the schema of Outlook", "error-601.xml", "<Response>", `<Response xmlns="` + nsOutlook + `">`},
		{"an Id of 33 bits", "error-601.xml", "4294967295", "4294967296"},
		{"a Time with too few decimals", "error-601.xml", "6164027", "616"},
		{"a code that is none", "error-601.xml", "601", "604"},
		{"POP", "outlook-pop.xml", "POP3", "POP"},
		{"yes", "outlook-pop.xml", "<SSL>on", "<SSL>yes"},
		{"an empty LoginName", "outlook-pop.xml", "<LoginName>anna@pop.example", "<LoginName>"},
		{"two of one type", "outlook-mamut.xml", "POP3", "IMAP"},
		{"Port 0", "outlook-pop.xml", "995", "0"},
		{"a MobileSync Protocol for Outlook", "outlook-pop.xml", "POP3", "MobileSync"},
		{"a redirection in clear text", "redirect-url.xml", "<RedirectUrl>https", "<RedirectUrl>http"},
		{"a redirection with capitals", "redirect-url.xml", "/autodiscover/autodiscover.xml",
			"/Autodiscover/Autodiscover.xml"},
		{"https in a namespace", "outlook-pop.xml", nsResponse, strings.Replace(nsResponse, "http:", "https:", 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := os.ReadFile(goldenDir + c.file)
			if err != nil {
				t.Fatal(err)
			}
			wrong := strings.Replace(string(text), c.old, c.new, 1)
			switch c.name {
			case "User before Culture":
				wrong = strings.Replace(wrong, "</User>", "</User><Culture>en:us</Culture>", 1)
			case "Url before Type":
				wrong = strings.Replace(wrong, "</Url>", "</Url><Type>MobileSync</Type>", 1)
			}
			if wrong == string(text) {
				t.Fatalf("%s does not have %q, which the test replaces", c.file, c.old)
			}
			file := filepath.Join(t.TempDir(), "wrong.xml")
			if err := os.WriteFile(file, []byte(wrong), 0o666); err != nil {
				t.Fatal(err)
			}
			if xmllint(t, file) == nil {
				t.Errorf("xmllint accepts\n%s", wrong)
			}
		})
	}
}
