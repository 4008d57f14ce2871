package autodiscover

import (
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// The namespaces as they stand in the specifications and in every client.
// Microsoft's web pages spell them with https since a bulk edit; see
// responseSchema.
const (
	nsBase = "http://schemas.microsoft.com/exchange/autodiscover"

	// nsResponse is the namespace of the root of every answer, and of errors.
	nsResponse = nsBase + "/responseschema/2006"
	// nsOutlook and nsMobileSync are the namespaces of the Response below that
	// root, and what a client names in AcceptableResponseSchema.
	nsOutlook    = nsBase + "/outlook/responseschema/2006a"
	nsMobileSync = nsBase + "/mobilesync/responseschema/2006"

	nsOutlookRequest    = nsBase + "/outlook/requestschema/2006"
	nsMobileSyncRequest = nsBase + "/mobilesync/requestschema/2006"
)

// documents writes the answers in both schemas.
type documents struct{ account.Documents[form] }

// form tells the answers for the same mailbox apart.
type form struct {
	schema   string // nsOutlook or nsMobileSync
	exchange bool   // with the entries of an Exchange server, in Outlook's schema
}

// write returns the answer in a form. The error is an *Error where there are
// no settings for the client, and a *Redirect where it is redirected by HTTP.
func (d *documents) write(s account.Settings, f form) ([]byte, error) {
	writeTemplate, writeRedirect := writeOutlook, outlookRedirect
	if f.exchange {
		writeTemplate = writeExchange
	}
	if f.schema == nsMobileSync {
		writeTemplate, writeRedirect = writeActiveSync, activeSyncRedirect
		if s.Address.IsAny() {
			return nil, invalid("ActiveSync needs a mailbox, and none was given")
		}
	}
	if to := redirectOf(s); to != nil {
		return writeRedirect(s, to)
	}
	template, err := d.Template(&s, f, writeTemplate)
	if err != nil {
		return nil, err
	}
	return template.Append(nil, s.Address, escapeText), nil
}

// references are the characters that etree replaces in a text.
var references = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;")

func escapeText(dst []byte, text string) []byte { return append(dst, references.Replace(text)...) }

// newDocument begins an answer and returns its Response. The namespace of the
// Response is declared on it as the default, and inherited by everything below;
// errors stay in the namespace of the root.
func newDocument(namespace string) (*etree.Document, *etree.Element) {
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="utf-8"`)
	root := doc.CreateElement("Autodiscover")
	root.CreateAttr("xmlns", nsResponse)
	response := root.CreateElement("Response")
	if namespace != nsResponse {
		response.CreateAttr("xmlns", namespace)
	}
	return doc, response
}

// add appends a child with a text. An empty text gives an empty element.
func add(parent *etree.Element, tag, text string) {
	child := parent.CreateElement(tag)
	if text != "" {
		child.CreateText(text)
	}
}

// render returns the bytes of the finished document. White space stands between
// elements only: Android reads the text of Url without trimming it.
func render(doc *etree.Document) []byte {
	doc.Indent(2)
	text, err := doc.WriteToBytes()
	if err != nil {
		panic(err) // writing to memory does not fail
	}
	return text
}
