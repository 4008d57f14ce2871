package setup

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"signpost/templates"
)

// writeText writes the page for a terminal, or for a support desk to paste into a
// letter: the settings and what to check, without the steps for each device and
// without exceptions for single clients.
func writeText(w io.Writer, p *pageData, lang *templates.Language) {
	t := lang.Text
	line := func(text string) { fmt.Fprintln(w, text) }
	switch {
	case p.Answer != nil:
		writeAnswer(w, p.Answer, lang)
	case p.Unknown != "":
		line(t("unknown.title", "domain", p.Unknown))
		line(t("unknown.spelling"))
	case p.Failed:
		line(t("failed.title"))
		line(t("failed.lead"))
	case p.Problem != "":
		line(t(p.Problem))
	default:
		line(t("form.title"))
		line(t("form.text", "url", "/?emailaddress=…&format=text"))
	}
	for _, way := range []string{p.Contact.URL, p.Contact.Email, p.Contact.Phone} {
		if way != "" {
			line(t("trouble.contact") + t("colon") + " " + lang.LeftToRight(way))
		}
	}
}

func writeAnswer(w io.Writer, a *answer, lang *templates.Language) {
	t := lang.Text
	fmt.Fprintf(w, "%s\n%s\n", t("answer.title", "address", a.Address), a.Provider)
	if a.Webmail != "" && !a.PasswordForm && !a.Mail && !a.AutodiscoverRedirect {
		fmt.Fprintf(w, "\n%s\n%s\n", t("webmail.lead"), a.Webmail)
	}
	for _, n := range a.Notices {
		fmt.Fprintf(w, "\n! %s\n", strings.TrimSpace(n.Text+" "+n.URL))
	}
	if a.AppPassword != "" {
		text := t("app.title") + ". " + t("app.lead")
		if a.OrToken {
			text += " " + t("app.notneeded")
		}
		fmt.Fprintf(w, "\n! %s %s\n", text, lang.LeftToRight(a.AppPassword))
	}
	if a.Unencrypted {
		lead := "plain.mail"
		if a.PasswordUnencrypted {
			lead = "plain.lead"
		}
		fmt.Fprintf(w, "\n! %s. %s\n", t("plain.title"), t(lead))
	}
	if a.Token && len(a.Tables) > 0 {
		fmt.Fprintf(w, "\n%s\n", t("token.needed"))
	}
	for _, table := range slices.Concat(a.Tables, a.Also) {
		fmt.Fprintf(w, "\n%s\n", table.Title)
		for _, r := range table.Rows {
			writeRow(w, r.Label+t("colon"), lang.LeftToRight(r.Value)+r.Choice)
		}
	}
	if a.AutodiscoverRedirect {
		fmt.Fprintf(w, "\n%s\n", t("handover.lead"))
	}
	gap := "\n"
	for _, link := range [][2]string{
		{"webmail.name", a.Webmail},
		{"trouble.status", a.Trouble.Status},
		{"trouble.reset", a.Trouble.PasswordReset},
		{"trouble.panel", a.Trouble.ControlPanel},
	} {
		if link[1] != "" {
			io.WriteString(w, gap)
			writeRow(w, t(link[0])+t("colon"), lang.LeftToRight(link[1]))
			gap = ""
		}
	}
	fmt.Fprintf(w, "\n%s\n", t("trouble.title"))
	for _, check := range a.checks(lang) {
		fmt.Fprintf(w, "- %s\n", check)
	}
}

// writeRow writes a label and, in a column of its own, a value.
func writeRow(w io.Writer, label, value string) {
	const column = 20
	gap := max(column-utf8.RuneCountInString(label), 1)
	fmt.Fprintf(w, "  %s%s%s\n", label, strings.Repeat(" ", gap), value)
}

// checks returns what a person can check without following a link.
func (a *answer) checks(lang *templates.Language) []string {
	t := lang.Text
	alias := "trouble.alias"
	if a.AliasLogin {
		alias = "trouble.aliaslogin"
	}
	list := []string{t(alias), t("trouble.active")}
	limits := a.Trouble.Limits
	if limits.PerAddress > 0 {
		list = append(list, t("trouble.peraddress", "count", limits.PerAddress))
	}
	if limits.PerDomain > 0 {
		list = append(list, t("trouble.perdomain", "count", limits.PerDomain))
	}
	if a.Trouble.Wait != "" {
		list = append(list, t("trouble.wait", "time", a.Trouble.Wait))
	}
	if a.Trouble.Ports != "" {
		list = append(list, t("trouble.port", "ports", a.Trouble.Ports))
	}
	for _, check := range a.Trouble.Checks {
		list = append(list, check.Text)
	}
	return list
}
