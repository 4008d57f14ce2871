package document

import (
	"fmt"
	"strings"
	"testing"
)

func TestReadXML(t *testing.T) {
	for _, c := range []struct{ name, body, tree, err string }{
		{"whole", "<?xml version='1.0'?>\n<a x='1'>\n<b> t </b><c/></a>", `a[x=1](b"·t·" c"")`, ""},
		{"byte order mark", "\ufeff<a/>", `a""`, ""},
		{"doctype and comment", "<!DOCTYPE a><!-- x --><a><!-- y -->t</a>", `a"t"`, ""},
		{"CDATA and entities", "<a><![CDATA[&nbsp;]]>&amp;&#39;</a>", `a"&nbsp;&'"`, ""},
		{"prefix", "<x:a xmlns:x='u'/>", `x:a[xmlns:x=u]""`, ""},
		{"HTML entity", "<a>\n<b>x&nbsp;y</b><c/></a>", "a(b\"x\u00a0y\" c\"\")", "line 2: &nbsp; is known in HTML only"},
		{"unknown entity", "<a><b>&foo;</b></a>", `a(b"")`, "line 1: invalid character entity &foo;"},
		{"not closed", "<a>\n<b>\n</a>", `a(b"¶")`, "line 3: </a> comes where <b> of line 2 is not closed"},
		{"cut between tags", "<a>\n<b>t", `a(b"t")`, "line 2: the document ends inside <b>"},
		{"cut inside a tag", "<a>\n<b>t</", `a(b"t")`, "line 2: unexpected EOF"},
		{"two roots", "<a/><b/>", `a""`, "line 1: <b> stands after the end of the document"},
		{"text", "hello", ``, "line 1: there is text outside of the document's element"},
		{"nothing", "", ``, "line 1: there is no XML"},
		{"attribute twice", "<a x='1' x='2'/>", `a[x=1 x=2]""`, "line 1: <a> has x twice"},
		{"web page", "<!doctype html><html><br><p>hi</html>", `html(br(p"hi"))`,
			"line 1: </html> comes where <p> of line 1 is not closed"},
	} {
		x := ReadXML([]byte(c.body))
		err := ""
		if x.Error != nil {
			err = x.Error.Error()
		}
		if tree := show(x.Root); tree != c.tree || err != c.err {
			t.Errorf("%s: ReadXML(%q) = %s, error %q; want %s, error %q", c.name, c.body, tree, err, c.tree, c.err)
		}
	}
}

func TestEncodings(t *testing.T) {
	for _, c := range []struct{ name, body, encoding, tree, err string }{
		{"none named", "<a>å</a>", "utf-8", `a"å"`, ""},
		{"Latin 1", "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe5</a>", "iso-8859-1", `a"å"`, ""},
		{"Windows", "<?xml version=\"1.0\" encoding=\"windows-1252\"?>\n<a>\x80</a>", "windows-1252", `a"€"`, ""},
		{"UTF-16", "\xff\xfe<\x00a\x00>\x00\xe5\x00<\x00/\x00a\x00>\x00", "utf-16le", `a"å"`, ""},
		{"big-endian", "\xfe\xff\x00<\x00a\x00/\x00>", "utf-16be", `a""`, ""},
		{"UTF-16 named alone", "<?xml version='1.0' encoding='UTF-16'?><a>å</a>", "utf-8", `a"å"`, ""},
		{"unknown", "<?xml version='1.0' encoding='x-none'?><a>t</a>", "x-none", `a"t"`, ""},
		{"other than named", "<?xml version='1.0' encoding='utf-8'?><a>\xe5</a>", "utf-8", `a""`, "line 1: invalid UTF-8"},
	} {
		x := ReadXML([]byte(c.body))
		err := ""
		if x.Error != nil {
			err = x.Error.Error()
		}
		if tree := show(x.Root); x.Encoding != c.encoding || tree != c.tree || err != c.err {
			t.Errorf("%s: ReadXML(%q) = %s, %s, error %q; want %s, %s, error %q",
				c.name, c.body, x.Encoding, tree, err, c.encoding, c.tree, c.err)
		}
	}
}

func TestRaw(t *testing.T) {
	x := ReadXML([]byte("<a><b>o&#39;b<!-- c --></b></a>"))
	if b := x.Root.Child("b"); b.Raw != "o&#39;b<!-- c -->" || b.Text != "o'b" {
		t.Errorf("Raw, Text = %q, %q", b.Raw, b.Text)
	}
}

func TestDeep(t *testing.T) {
	x := ReadXML([]byte(strings.Repeat("<a>", 1000)))
	if x.Error == nil || x.Error.Text != "there are too many elements" {
		t.Errorf("error = %v, want too many elements", x.Error)
	}
}

func TestReadPACC(t *testing.T) {
	p, err := ReadPACC([]byte(`{"protocols":{"smtp":{"host":"s.example"},"jmap":{"url":"https://j.example/"},"x":{}},
		"authentication":{"password":true,"oauth-public":{"issuer":"https://i.example"}},"info":3}`))
	want := "{[{smtp s.example } {jmap  https://j.example/} {x  }] true https://i.example}"
	if got := fmt.Sprint(p); err != nil || got != want {
		t.Errorf("ReadPACC = %s, %v; want %s", got, err, want)
	}
	for _, body := range []string{"", "[]", `{"protocols":[]}`, `{"protocols":{"imap":3}}`, "<a/>"} {
		if _, err := ReadPACC([]byte(body)); err == nil {
			t.Errorf("ReadPACC(%q) is no error", body)
		}
	}
}

func TestReadAutodiscoverJSON(t *testing.T) {
	a, err := ReadAutodiscoverJSON([]byte(`{"Protocol":"ActiveSync","Url":"https://m.example/a"}`))
	if want := (AutodiscoverJSON{"ActiveSync", "https://m.example/a"}); err != nil || a != want {
		t.Errorf("ReadAutodiscoverJSON = %v, %v; want %v", a, err, want)
	}
	if _, err := ReadAutodiscoverJSON([]byte(`{"ErrorCode":"NotFound"}`)); err == nil {
		t.Error("an answer without Url is no error")
	}
}

// show writes a tree in one line: name, attributes, and children or text.
func show(e *Element) string {
	if e == nil {
		return ""
	}
	text := e.Name
	if len(e.Attributes) > 0 {
		var all []string
		for _, a := range e.Attributes {
			all = append(all, a.Name+"="+a.Value)
		}
		text += "[" + strings.Join(all, " ") + "]"
	}
	if len(e.Children) == 0 {
		return text + `"` + strings.NewReplacer(" ", "·", "\n", "¶").Replace(e.Text) + `"`
	}
	var all []string
	for _, c := range e.Children {
		all = append(all, show(c))
	}
	return text + "(" + strings.Join(all, " ") + ")"
}
