package acceptance

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
)

// The EWS server of the closed network, which no client can guess.
const (
	ewsHost = "ex7.hoster.example"
	ewsURL  = "https://" + ewsHost + "/EWS/Exchange.asmx"
)

// ewsServer stands in for an Exchange server: it asks for a name and a password by Basic, and answers the few
// operations with which the clients begin. Its only folders are the root and an empty inbox.
type ewsServer struct {
	login string

	mu         sync.Mutex
	operations []string // after a right password
}

// ServeHTTP implements http.Handler.
func (s *ewsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/EWS/Exchange.asmx" {
		nothingHere.ServeHTTP(w, r)
		return
	}
	if login, secret, _ := r.BasicAuth(); login != s.login || secret != password {
		w.Header().Set("WWW-Authenticate", `Basic realm="ex7"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	operation := operationOf(r.Body)
	s.mu.Lock()
	s.operations = append(s.operations, operation)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	fmt.Fprintf(w, ewsEnvelope, operation, ewsResult(operation))
}

// signedIn returns the operations that were answered since the last call, each once.
func (s *ewsServer) signedIn() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.operations
	s.operations = nil
	slices.Sort(all)
	return slices.Compact(all)
}

// operationOf returns the name of the element in the body of a SOAP envelope.
func operationOf(envelope io.Reader) string {
	decoder := xml.NewDecoder(envelope)
	body := false
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		switch element, ok := token.(xml.StartElement); {
		case !ok:
		case body:
			return element.Name.Local
		default:
			body = element.Name.Local == "Body"
		}
	}
}

// ewsEnvelope is an answer to an operation. Clients read the version of the server from its header.
const ewsEnvelope = `<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
  xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
<s:Header><t:ServerVersionInfo MajorVersion="15" MinorVersion="0" MajorBuildNumber="1497" MinorBuildNumber="2"
  Version="V2_23"/></s:Header>
<s:Body><m:%[1]sResponse><m:ResponseMessages><m:%[1]sResponseMessage ResponseClass="%[2]s</m:%[1]sResponseMessage>
</m:ResponseMessages></m:%[1]sResponse></s:Body></s:Envelope>`

// ewsResult returns the class of the result of an operation, the end of its tag, and what is in it.
func ewsResult(operation string) string {
	const success = `Success"><m:ResponseCode>NoError</m:ResponseCode>`
	switch operation {
	case "GetFolder":
		return success + `<m:Folders><t:Folder><t:FolderId Id="aW5ib3g=" ChangeKey="AQ=="/>` +
			`<t:FolderClass>IPF.Note</t:FolderClass><t:DisplayName>Inbox</t:DisplayName><t:TotalCount>0</t:TotalCount>` +
			`<t:ChildFolderCount>0</t:ChildFolderCount><t:UnreadCount>0</t:UnreadCount></t:Folder></m:Folders>`
	case "FindFolder":
		return success + `<m:RootFolder TotalItemsInView="0" IncludesLastItemInRange="true"><t:Folders/></m:RootFolder>`
	case "SyncFolderHierarchy":
		return success + `<m:SyncState>c3RhdGU=</m:SyncState><m:IncludesLastFolderInRange>true` +
			`</m:IncludesLastFolderInRange><m:Changes/>`
	}
	return `Error"><m:MessageText>No results were found.</m:MessageText>` +
		`<m:ResponseCode>ErrorNameResolutionNoResults</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>`
}
