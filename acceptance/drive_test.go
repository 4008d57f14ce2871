package acceptance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// drive is a test on its way through the wizard. Each of its steps ends the
// test where it cannot be done.
type drive struct {
	*thunderbird
	t       *testing.T
	journal *journal
	names   *nameServer
	mark    int // where in the journal the part of the test begins
}

// stepTimeout is how long one step of the wizard may take. Its own longest wait
// is ten seconds, for a host that does not answer.
const stepTimeout = 30 * time.Second

// fail ends the test and says in one line what was asked, what was answered and
// what came of it.
func (d *drive) fail(problem string) {
	d.t.Helper()
	h, _ := d.hub()
	asked := d.journal.since(d.mark)
	if len(asked) == 0 {
		asked = []string{"nothing over HTTP"}
	}
	d.picture(d.t, strings.ReplaceAll(d.t.Name(), "/", "-")+"-failed")
	d.t.Fatalf("%s; it asked %s; it ended at %v; refused TLS: %q; DNS: %s",
		problem, strings.Join(asked, ", "), h, d.journal.refusals(), strings.Join(d.names.questions(), ", "))
}

func (d *drive) until(steps ...string) hub {
	d.t.Helper()
	h, err := d.await(stepTimeout, steps...)
	if err != nil {
		d.fail(err.Error())
	}
	return h
}

func (d *drive) typeInto(selector, text string) {
	d.t.Helper()
	if err := d.thunderbird.typeInto(selector, text); err != nil {
		d.fail(fmt.Sprintf("nothing can be typed into %s: %v", selector, err))
	}
}

func (d *drive) press(button string) {
	d.t.Helper()
	if err := d.thunderbird.press(button); err != nil {
		d.fail(fmt.Sprintf("%s cannot be pressed: %v", button, err))
	}
}

// nothingHere is a web server without mail in mind.
var nothingHere = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "<!DOCTYPE html><title>404</title>", http.StatusNotFound)
})
