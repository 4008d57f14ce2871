package autodiscover

import "github.com/beevik/etree"

// The namespaces as they stand in the specifications and in every client.
// Microsoft's web pages spell them with https since a bulk edit; see schemaOf.
const (
	nsBase = "http://schemas.microsoft.com/exchange/autodiscover"

	// nsResponse holds the root of every answer, and errors.
	nsResponse = nsBase + "/responseschema/2006"
	// nsOutlook and nsMobileSync hold the Response below that root. They are
	// also what a client names in AcceptableResponseSchema.
	nsOutlook    = nsBase + "/outlook/responseschema/2006a"
	nsMobileSync = nsBase + "/mobilesync/responseschema/2006"

	nsOutlookRequest    = nsBase + "/outlook/requestschema/2006"
	nsMobileSyncRequest = nsBase + "/mobilesync/requestschema/2006"
)

// newDocument begins an answer and returns its Response. The namespace of the
// Response is declared anew on it, as default, and inherited by all below;
// errors stay in the root's.
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

// add appends a child that holds a text. An empty text gives an empty element.
func add(parent *etree.Element, tag, text string) {
	child := parent.CreateElement(tag)
	if text != "" {
		child.CreateText(text)
	}
}

// render gives the finished document. White space stands between elements only:
// Android reads the text of Url without trimming it.
func render(doc *etree.Document) []byte {
	doc.Indent(2)
	text, err := doc.WriteToBytes()
	if err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return text
}
