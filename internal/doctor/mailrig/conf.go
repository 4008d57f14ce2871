package mailrig

// dovecots are the Dovecots, each with what differs from dovecotConf. A Dovecot has one
// answer to such questions for all its ports.
var dovecots = map[string]string{
	"good": `
protocols = imap pop3 sieve
ssl = required
auth_mechanisms = plain login
service imap-login {
  inet_listener imap {
    port = PORT_IMAP_
  }
  inet_listener imaps {
    port = PORT_IMAPS_
  }
}
service pop3-login {
  inet_listener pop3 {
    port = PORT_POP3_
  }
  inet_listener pop3s {
    port = PORT_POP3S_
  }
}
service managesieve-login {
  inet_listener sieve {
    port = PORT_SIEVE_
  }
}
service auth {
  unix_listener DIR/auth {
    mode = 0666
  }
}
`,
	"notls": `
protocols = imap
ssl = no
auth_mechanisms = plain login
service imap-login {
  inet_listener imap {
    port = PORT_NOTLS_
  }
  inet_listener imaps {
    port = 0
  }
}
`,
	"cram": `
protocols = imap
ssl = required
auth_mechanisms = cram-md5
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = PORT_CRAM_
  }
}
`,
}

const dovecotConf = `
base_dir = BASE
state_dir = BASE
log_path = /dev/stderr
listen = IP
ssl_cert = <CERT
ssl_key = <KEY
disable_plaintext_auth = yes
mail_location = maildir:BASE/mail/%u
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = scheme=PLAIN DIR/users
}
userdb {
  driver = static
  args = uid=UID gid=GID home=BASE/mail/%u
}
`

const postfixMain = `
compatibility_level = 3.6
maillog_file = /dev/stdout
queue_directory = DIR/queue
data_directory = DIR/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = all
inet_protocols = ipv4
myhostname = mail.hoster.example
mydestination =
mynetworks =
alias_maps =
alias_database =
smtpd_tls_cert_file = CERT
smtpd_tls_key_file = KEY
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = unix:DIR/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
postscreen_greet_action = enforce
postscreen_greet_wait = 2s
postscreen_cache_map =
postscreen_access_list =
postscreen_dnsbl_sites =
`

const postfixMaster = `
IP:PORT_SMTPS_  inet  n  -  n  -     -  smtpd -o smtpd_tls_wrappermode=yes
IP:PORT_SUBMISSION_  inet  n  -  n  -     -  smtpd
IP:PORT_OLD_  inet  n  -  n  -     -  smtpd -o smtpd_tls_wrappermode=yes
  -o smtpd_tls_mandatory_protocols=>=TLSv1,<=TLSv1.1 -o tls_medium_cipherlist=ALL:@SECLEVEL=0
  -o smtpd_tls_mandatory_ciphers=medium
IP:PORT_CLEAR_  inet  n  -  n  -     -  smtpd
IP:PORT_SECURITYNONE_  inet  n  -  n  -     -  smtpd -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no
IP:PORT_NOSASL_  inet  n  -  n  -     -  smtpd -o smtpd_sasl_auth_enable=no
IP:PORT_POSTSCREEN_  inet  n  -  n  -     1  postscreen
smtpd     pass  -  -  n  -     -  smtpd
dnsblog   unix  -  -  n  -     0  dnsblog
tlsproxy  unix  -  -  n  -     0  tlsproxy
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
proxymap  unix  -  -  n  -     -  proxymap
error     unix  -  -  n  -     -  error
anvil     unix  -  -  n  -     1  anvil
postlog   unix-dgram n - n  -  1  postlogd
`
