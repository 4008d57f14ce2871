package format

import (
	"fmt"
	"strings"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// TestPHP reads settings in the ways that PHP has to write them.
func TestPHP(t *testing.T) {
	for _, row := range []struct{ text, path, want string }{
		{`$autodiscover_config['imap']['server'] = 'a.example';`, "imap server", "a.example"},
		{`$autodiscover_config["imap"]["server"] = "a.example"; // 'b'`, "imap server", "a.example"},
		{"$autodiscover_config['imap']['server'] = 'a.example'; # 'it\nif (true) {}", "imap server", "a.example"},
		{`$autodiscover_config['imap'] = ['server' => "imap.$mailcow_hostname"];`, "imap server", "imap.post.a.example"},
		{`$autodiscover_config['imap'] = ['server' => "imap.{$mailcow_hostname}"];`, "imap server", "imap.post.a.example"},
		{`$autodiscover_config['imap'] = ['server' => "imap.${mailcow_hostname}"];`, "imap server", "imap.post.a.example"},
		{`$autodiscover_config['imap'] = ['server' => 'imap.$mailcow_hostname'];`, "imap server", "imap.$mailcow_hostname"},
		{`$autodiscover_config['imap'] = ['server' => 'imap.' . $mailcow_hostname];`, "imap server", "imap.post.a.example"},
		{`$autodiscover_config['displayName'] = 'Ek\'s #1 "mail" // \\o/';`, "displayName", `Ek's #1 "mail" // \o/`},
		{`$autodiscover_config['displayName'] = "Ek's \"#1\" /* \$5 */";`, "displayName", `Ek's "#1" /* $5 */`},
		{`$autodiscover_config['imap']['port'] = getenv('IMAPS_PORT');`, "imap port", "127.0.0.1:9993"},
		{`$autodiscover_config['imap']['port'] = 1993;`, "imap port", "1993"},
		{`$autodiscover_config['imap']['port'] = (int)'1993';`, "imap port", "1993"},
		{`$autodiscover_config['imap']['port'] = (int)filter_var(substr(getenv('IMAPS_PORT'), ` +
			`strrpos(getenv('IMAPS_PORT'), ':')), FILTER_SANITIZE_NUMBER_INT);`, "imap port", "9993"},
		{`$autodiscover_config['activesync']['url'] = 'https://' . $mailcow_hostname . ` +
			`($https_port == 443 ? '' : ':' . $https_port) . '/x';`, "activesync url", "https://post.a.example:8443/x"},
		{`$host = "a.example"; $autodiscover_config['smtp']['server'] = "smtp.$host";`, "smtp server", "smtp.a.example"},
		{`$a = ['server' => 'a.example', 1 => array('x')]; $autodiscover_config['smtp'] = $a;`, "smtp server", "a.example"},
		{`$a = ['x' => 'a.example']; $autodiscover_config['smtp']['server'] = $a['x'];`, "smtp server", "a.example"},
		{`$autodiscover_config = array('smtp' => array('server' => 'b.example', ), );`, "smtp server", "b.example"},
		{`$autodiscover_config = array('smtp' => array('server' => 'b.example'));`, "smtp port", ""},
		{`$autodiscover_config = array('smtp' => array('server' => 'b.example'));`, "imap server", "post.a.example"},
		{`/* $autodiscover_config['imap']['server'] = 'b.example'; */`, "imap server", "post.a.example"},
		{`?> $autodiscover_config['imap']['server'] = 'b.example'; <?php`, "imap server", "post.a.example"},
		{`// ends here ?> text <?php $autodiscover_config['imap']['server'] = 'b.example';`, "imap server", "b.example"},
		{`$DETECT = 1.5 + strlen("x"); $autodiscover_config['imap']['server'] = 'b.example';`, "imap server", "b.example"},
		{`$MAILCOW_APPS[] = array('name' => 'x'); $LIMITS['a'] = 15 * 1024; $autodiscover_config['imap']['server'] = 'b.example';`,
			"imap server", "b.example"},
		{`$autodiscover_config['imap']['server'] = gethostname();`, "imap server", "computed"},
		{`$autodiscover_config['imap']['server'] = $_SERVER['HTTP_HOST'];`, "imap server", "computed"},
		{`$autodiscover_config['imap'] = ['server' => $x ?: 'a', 'port' => 1];`, "imap server", "computed"},
		{`$autodiscover_config['imap'] = ['server' => $x ?: 'a', 'port' => 1];`, "imap port", "1"},
		{`$autodiscover_config['imap']['server'] = "imap.$x[0]";`, "imap server", "computed"},
		{`if (getenv('X')) { $autodiscover_config['imap']['server'] = 'b.example'; }`, "imap server", "post.a.example, used in line 1"},
		{`if ($x) $autodiscover_config['imap']['server'] = 'b.example';`, "imap server", "post.a.example, used in line 1"},
		{"\n" + `$autodiscover_config['imap']['server'] .= 'b.example';`, "imap server", "post.a.example, used in line 2"},
		{`unset($autodiscover_config['pop3']);`, "pop3 server", "post.a.example, used in line 1"},
	} {
		var d draft.Draft
		m := mailcowOf(t, "MAILCOW_HOSTNAME=post.a.example\nIMAPS_PORT=127.0.0.1:9993\nHTTPS_PORT=8443\n", &d)
		if err := m.readPHP(File{Path: "vars.php", Data: []byte("<?php " + row.text)}); err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		v := m.settings.get(strings.Fields(row.path)...)
		got := v.text
		if v.computed {
			got = "computed"
		}
		for _, remark := range d.Lost {
			got += fmt.Sprintf(", used in line %d", remark.Place.Line)
		}
		if got != row.want {
			t.Errorf("%s: %s = %q, want %q", row.text, row.path, got, row.want)
		}
	}
}

func mailcowOf(t *testing.T, conf string, d *draft.Draft) *mailcowSettings {
	t.Helper()
	e, err := readEnv(File{Path: "mailcow.conf", Data: []byte(conf)})
	if err != nil {
		t.Fatal(err)
	}
	m := &mailcowSettings{env: e, d: d}
	m.defaults()
	return m
}

// TestBrokenPHP reads files that are cut off or hostile.
func TestBrokenPHP(t *testing.T) {
	for text, want := range map[string]string{
		"<?php\n$autodiscover_config = array('a' =>":            "vars.php:2: $autodiscover_config does not end",
		"<?php\n$autodiscover_config['imap'] = 'a":              "vars.php:2: a text in quotation marks does not end",
		"<?php\n\n/* $autodiscover_config = 1;":                 "vars.php:3: a comment does not end",
		"<?php $autodiscover_config['a'] = <<<X\nX;":            "vars.php:1: a text that begins with <<< is not read; write it in quotation marks",
		"<?php $autodiscover_config = " + "\xe5;":               "vars.php:1: the line is not in UTF-8",
		"<?php //" + strings.Repeat("x", 2<<20):                 "vars.php: the file is larger than settings are",
		"<?php $a = " + strings.Repeat("[", 100_000):            "vars.php:1: $a does not end",
		"<?php $a = 'xxxx';" + strings.Repeat("$a=$a.$a;", 100): "",
		"<?php $a = [1];" + strings.Repeat("$a=[$a,$a];", 100):  "",
		"<?php " + strings.Repeat("$a[1]=2;", 100_000):          "",
	} {
		var d draft.Draft
		got := ""
		if err := mailcowOf(t, "MAILCOW_HOSTNAME=post.a.example", &d).readPHP(File{Path: "vars.php", Data: []byte(text)}); err != nil {
			if _, ok := err.(fault.List); !ok {
				t.Errorf("%.60q: %T is no list of faults", text, err)
			}
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}

// TestMailcowPorts reads ports that are bound to addresses.
func TestMailcowPorts(t *testing.T) {
	for _, row := range []struct{ conf, want string }{
		{"POPS_PORT=[::1]:995", "pop3 110 STARTTLS"},
		{"POPS_PORT=127.0.0.1:995\nPOP_PORT=127.0.0.1:110", ""},
		{"POPS_PORT=192.0.2.1:1995", "pop3 1995 SSL"},
		{"POPS_PORT=[2001:db8::1]:1995", "pop3 1995 SSL"},
		{"IMAPS_PORT=127.0.0.1:993\nIMAP_PORT=1143", "imap 1143 STARTTLS"},
		{"SMTPS_PORT=127.0.0.2:465\nSUBMISSION_PORT=0.0.0.0:587", "smtp 587 STARTTLS"},
		{"SIEVE_PORT=4190", "managesieve 4190 STARTTLS"},
		{"SIEVE_PORT=[::1]:4190", ""},
		{"HTTPS_PORT=8443", "activesync https://post.a.example:8443/Microsoft-Server-ActiveSync"},
		{"HTTPS_PORT=8443\nHTTPS_BIND=127.0.0.1", "activesync https://post.a.example/Microsoft-Server-ActiveSync"},
		{"HTTPS_PORT=8443\nHTTPS_BIND=::1", "activesync https://post.a.example/Microsoft-Server-ActiveSync"},
		{"HTTPS_PORT=8443\nHTTPS_BIND=192.0.2.1", "activesync https://post.a.example:8443/Microsoft-Server-ActiveSync"},
		{"SQL_PORT=3307", "mysql://signpost@127.0.0.1:3307/mailcow"},
		{"SQL_PORT=0.0.0.0:3307\nDBNAME=post", "mysql://signpost@127.0.0.1:3307/post"},
		{"SQL_PORT=[fd00::2]:3307", "mysql://signpost@[fd00::2]:3307/mailcow"},
		{"DBNAME=a/b", "mysql://signpost@127.0.0.1:13306/mailcow"},
	} {
		var d draft.Draft
		mailcowOf(t, "MAILCOW_HOSTNAME=post.a.example\n"+row.conf, &d).draft()
		var all []string
		for _, s := range d.Products[0].Provider.Servers {
			all = append(all, fmt.Sprintf("%s %d %s", s.Type, s.Port, s.SocketType),
				fmt.Sprintf("%s %s", s.Type, s.URL))
		}
		all = append(all, fmt.Sprint(d.Accounts[0][0].Value.(draft.Map)[0].Value))
		kind, _, _ := strings.Cut(row.conf, "_")
		if got := "\n" + strings.Join(all, "\n") + "\n"; row.want != "" && !strings.Contains(got, "\n"+row.want+"\n") {
			t.Errorf("%q gives%s, want %s", row.conf, got, row.want)
		} else if kind = map[string]string{"POPS": "\npop3", "SIEVE": "\nmanagesieve"}[kind]; row.want == "" &&
			strings.Contains(got, kind) {
			t.Errorf("%q gives%s, want no server there", row.conf, got)
		}
		if guessed := len(d.Products[0].Guesses) > 1; guessed != strings.Contains(row.conf, "BIND=127") &&
			!strings.Contains(row.conf, "BIND=::1") {
			t.Errorf("%q: guessed is %q", row.conf, d.Products[0].Guesses)
		}
	}
}
