package autodiscover

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// Code is Microsoft's code of an error: a number in XML ([MS-OXDSCLI] 2.2.4.1.1.3.2),
// a word in JSON.
type Code string

const (
	AddressUnknown   Code = "500" // the address is not known here
	InvalidRequest   Code = "600" // not a valid Autodiscover request
	NotAvailable     Code = "601" // no settings in the requested schema
	Misconfigured    Code = "602" // the address is known, but its configuration is wrong
	ServerError      Code = "603" // a failure here, or of what Signpost depends on
	InvalidProtocol  Code = "InvalidProtocol"
	MissingProtocol  Code = "MissingProtocol"
	MissingParameter Code = "MandatoryParameterMissing"
	UserNotFound     Code = "UserNotFound"
	Unavailable      Code = "InternalServerError" // 603 in JSON
)

// Error is an answer without settings.
type Error struct {
	Code Code
	// Reason says why there are no settings. It is for the operator and never
	// part of an answer.
	Reason string

	message string // for the client, if not the usual one of the code
}

func (e *Error) Error() string { return fmt.Sprintf("error %s: %s", e.Code, e.Reason) }

// messages are the texts of Exchange and of the servers that stand in for it.
// exchangelib knows a missing mailbox by the exact text of 500.
var messages = map[Code]string{
	AddressUnknown:   "The email address can't be found.",
	InvalidRequest:   "Invalid Request",
	NotAvailable:     "Provider is not available",
	Misconfigured:    "Configuration Error",
	ServerError:      "Server Error",
	MissingProtocol:  "A valid value must be provided for the query parameter 'Protocol'.",
	MissingParameter: "The get request sent does not match the valid format.",
	UserNotFound:     "The email address can't be found.",
	Unavailable:      "The server cannot answer now.",
}

// Message returns the text that the client gets.
func (e *Error) Message() string {
	if e.message != "" {
		return e.message
	}
	return messages[e.Code]
}

// Document returns the error as the XML that a client gets, with the current
// time.
func (e *Error) Document() []byte { return e.document(time.Now(), serverID()) }

// document writes the error. It is a child of Response beside Account, as
// [MS-OXDSCLI] 2.2.4.1.1.3 has it, and its Response stays in the namespace of the
// root, where exchangelib and Microsoft's own test suite expect it.
func (e *Error) document(at time.Time, id uint32) []byte {
	doc, response := newDocument(nsResponse)
	element := response.CreateElement("Error")
	element.CreateAttr("Time", at.Format("15:04:05.0000000"))
	element.CreateAttr("Id", strconv.FormatUint(uint64(id), 10))
	add(element, "ErrorCode", string(e.Code))
	add(element, "Message", e.Message())
	add(element, "DebugData", "")
	return render(doc)
}

// serverID returns the Id of errors, "a hash of the server name": an operator of
// several machines sees by it which one answered.
var serverID = sync.OnceValue(func() uint32 {
	name, _ := os.Hostname() // a machine without a name has the hash of none
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return hash.Sum32()
})

// json returns the error as JSON.
func (e *Error) json() []byte {
	return marshal(struct{ ErrorCode, ErrorMessage string }{string(e.Code), e.Message()})
}

// status returns the HTTP status of the error in JSON. In XML every error comes
// with 200: to Autodiscover clients any other status means that there is no
// Autodiscover here at all.
func (e *Error) status() int {
	switch e.Code {
	case UserNotFound:
		return http.StatusNotFound
	case Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}
