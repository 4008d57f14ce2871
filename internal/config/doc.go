// Package config reads the YAML file that an operator writes, and the files that it
// names, into checked options, providers and accounts. It reports all faults at once,
// each with file, line, the place in the file and a suggestion. What is allowed but
// most likely not intended becomes a configuration warning.
//
// The keys have the names of Mozilla's autoconfig format where it has one. These are
// all keys; [] is an item of a list, ‹› a word of your own:
//
//	key                                                default            meaning
//	listen                                             127.0.0.1:8080     where plain HTTP is served; ":8080" is all
//	                                                                      addresses; or unix:path
//	admin.listen                                       127.0.0.1:9480     where metrics and health are served: host:port
//	                                                                      or unix:path; or none
//	admin.askPerHour                                   1000               per hour, new names of domains known only by
//	                                                                      their MX that /ask allows
//	admin.pprof                                        false              true: profiles of the running program at
//	                                                                      /debug/pprof
//	trustedProxies                                     127.0.0.0/8 ::1    addresses and networks of proxies whose
//	                                                                      headers are trusted; or none
//	proxyHeaders                                       x-forwarded        headers that trusted proxies set: x-forwarded
//	                                                                      (-For, -Proto, -Host) or forwarded (RFC 7239)
//	proxyProtocol                                      false              true: trusted proxies use PROXY protocol
//	                                                                      version 2
//	limits.requests                                    50                 average per second from one address (for IPv6,
//	                                                                      one /64); 0: no limit
//	limits.burst                                       2000               requests at once from an address that has been
//	                                                                      quiet
//	limits.connections                                 10000              open at a time, for each listener
//	limits.connectionsPerAddress                       a tenth            of limits.connections, from one address (for
//	                                                                      IPv6, one /64), at least 10; 0: no limit
//	limits.header                                      5s                 time for the header of a request
//	limits.read                                        10s                time for the whole request
//	limits.write                                       30s                time for the answer
//	limits.idle                                        1m                 how long a connection stays open without a
//	                                                                      request
//	limits.drain                                       0s                 how long the service goes on when it is told
//	                                                                      to stop, while it says that it is not ready:
//	                                                                      so long as a load balancer takes to notice
//	limits.stop                                        10s                how long running requests may take when the
//	                                                                      service stops
//	log.format                                         text               text or json
//	log.level                                          info               debug info warn error
//	log.requests                                       500                log lines for requests per second; 0: none
//	name                                               none               the service's own host name, for the page,
//	                                                                      profiles and absolute URLs
//	hsts                                               none               for how long browsers shall ask name by https
//	                                                                      only, such as 8760h (a year); 0s: no longer
//	apexCertificates                                   false              true: also order certificates for hosted
//	                                                                      domains themselves, by tls.acme or a proxy
//	tls.listen                                         :443               where HTTPS is served: host:port or unix:path;
//	                                                                      without tls, a proxy in front does it
//	tls.certificates                                   none               files; a name may have several kinds of key,
//	                                                                      and ECDSA is preferred
//	tls.certificates[].certificate                     required           file of the certificate and its chain; read
//	                                                                      again when it changes
//	tls.certificates[].key                             required           file of its private key
//	tls.acme.storage                                   see below          directory for ordered certificates and the
//	                                                                      ACME account; without it, all are ordered
//	                                                                      again. Or the URL of a database that several
//	                                                                      machines share: postgres:// or mysql://
//	tls.acme.passwordFile                              none               file with the password for a database as
//	                                                                      storage
//	tls.acme.sealFile                                  none               file of the keys that seal private keys in a
//	                                                                      database, one per line: 32 bytes in base64.
//	                                                                      The first seals, each opens; at most 4
//	tls.acme.email                                     none               your address, for the ACME server
//	tls.acme.directory                                 Let's Encrypt's    URL of an ACME server; you agree to its terms
//	                                                                      by ordering
//	tls.acme.caRoot                                    the system's       file of the root certificate of the ACME
//	                                                                      server's own certificate
//	tls.acme.ordersPerHour                             90                 most orders per hour; a quarter is kept for
//	                                                                      renewals, another quarter for listed names
//	profiles.certificate                               unsigned           file of the certificate and its chain that
//	                                                                      sign Apple profiles
//	profiles.key                                       unsigned           file of its private key
//	branding.name                                      the host name      name of the mail service on the set-up page
//	branding.logo                                      the name           file of a picture, at most 64 KiB: PNG, JPEG,
//	                                                                      WebP, GIF or SVG
//	branding.accent                                    "#1b55a6"          colour of buttons and links, with enough
//	                                                                      contrast to white
//	branding.contact.url                               none               your contact page, shown to customers
//	branding.contact.email                             none               your mail address for customers
//	branding.contact.phone                             none               your telephone number for customers
//	branding.embeddedBy                                none               origins of your sites that may show the page
//	                                                                      in a frame, or read its fragment with a script
//	branding.templates                                 none               directory with files that replace those of the
//	                                                                      page: html, text, static
//	dns.servers                                        the system's       IP addresses, with or without a port, of the
//	                                                                      DNS servers to ask
//	dns.timeout                                        2s                 time for one try
//	dns.addresses                                      none               of this service; customers' names get A and
//	                                                                      AAAA records instead of a CNAME to name
//	dns.caaIdentities                                  the authority's    domains by which CAA records know the
//	                                                                      authority that issues certificates here, the
//	                                                                      first to recommend; of a proxy, Caddy's
//	                                                                      defaults
//	dns.ttl                                            1h                 of the records that domains should have
//	dns.updates                                        none               zones in which "signpost records -publish" may
//	                                                                      write
//	dns.updates[].zone                                 required           a zone and all domains below it; "*" is any
//	                                                                      that no other entry names
//	dns.updates[].primary                              required           its primary name server, with or without a
//	                                                                      port
//	dns.updates[].keyFile                              required           file of the TSIG key, as tsig-keygen or keymgr
//	                                                                      writes it; or use key
//	dns.updates[].key.name                             required           name of the key, if keyFile is not used
//	dns.updates[].key.algorithm                        hmac-sha256        or hmac-sha384, hmac-sha512
//	dns.updates[].key.secret                           required           in base64; anyone who can read this file can
//	                                                                      change the zone
//	providers                                          required           one for each mail product
//	providers[].id                                     required           a word that identifies the provider, in this
//	                                                                      file and for the support desk
//	providers[].displayName                            required           name that people read, at most 60 characters
//	providers[].displayShortName                       from displayName   the same in at most 20 characters
//	providers[].domains                                none               hosted domains; "*" is any that no provider
//	                                                                      names; or domains.file
//	providers[].domains.file                           none               file with one domain per line, # for comments;
//	                                                                      may also be an item of the list
//	providers[].domains.maxLoss                        10                 percentage of the file's domains that a reload
//	                                                                      may lose, but five always unless it is 0; if
//	                                                                      it loses more, the file counts as half written
//	                                                                      and is refused
//	providers[].domains.alias                          none               another name of a domain, or a list of them,
//	                                                                      in an item of the list; each mailbox of the
//	                                                                      domain exists under this name, too
//	providers[].domains.of                             required           the domain that alias is another name of;
//	                                                                      mailboxes sign in with this one
//	providers[].mx                                     none               hosts, or "*.suffix"; a domain belongs here if
//	                                                                      its best MX is one of them
//	providers[].mailHost                               none               host for %MAILHOST% of servers, for mailboxes
//	                                                                      of which no source of accounts knows their
//	                                                                      host; required if a server has the placeholder
//	providers[].servers                                required           in the order of preference; optional with
//	                                                                      autodiscover
//	providers[].servers.of                             none               id of the provider whose servers this one has,
//	                                                                      too, in place of a list
//	providers[].servers[].type                         required           imap pop3 smtp activesync ews caldav carddav
//	                                                                      jmap managesieve
//	providers[].servers[].hostname                     required           for imap, pop3, smtp and managesieve; may hold
//	                                                                      %EMAILDOMAIN% and %MAILHOST%
//	providers[].servers[].port                         by type            993 995 465 for SSL; 143 110 587 4190 for
//	                                                                      STARTTLS
//	providers[].servers[].socketType                   SSL                SSL, STARTTLS or plain; STARTTLS for
//	                                                                      managesieve and ports 25 110 143 587
//	providers[].servers[].url                          required           for the other types, https only; may hold
//	                                                                      placeholders
//	providers[].servers[].username                     "%EMAILADDRESS%"   user name for signing in; quote it, YAML
//	                                                                      refuses a leading %
//	providers[].servers[].domainName                   none               NT domain of the login, for clients that ask
//	                                                                      for one
//	providers[].servers[].authentication               password-cleartext one or a list of: password-cleartext
//	                                                                      password-encrypted NTLM GSSAPI TLS-client-cert
//	                                                                      OAuth2; for an smtp relay also: none
//	                                                                      client-IP-address
//	providers[].servers[].passwords                    the provider's     true or false; false: this server takes no
//	                                                                      password, and clients are told OAuth2 only
//	providers[].servers[].clients.‹client›             none               another login for one client: thunderbird
//	                                                                      outlook activesync apple pacc page
//	providers[].servers[].clients.‹client›.username    "%EMAILADDRESS%"   as above; both replace the server's login as a
//	                                                                      whole
//	providers[].servers[].clients.‹client›.domainName  none               as above
//	providers[].servers[].pathPrefix                   none               imap: the folder that contains all others
//	providers[].servers[].pastDays                     7                  activesync: days of mail that an Apple device
//	                                                                      downloads: 0 (all) 1 3 7 14 31
//	providers[].servers[].principalURL                 found by client    caldav, carddav: URL of the principal, https
//	                                                                      only; may hold placeholders
//	providers[].servers[].answerWithoutLogin           false              activesync, ews; true: answer phones and
//	                                                                      Exchange programs even though the answer
//	                                                                      cannot contain the login
//	providers[].servers[].exchangeEntries              false              ews; true: autodiscover.xml names the server
//	                                                                      to Exchange programs, as an Exchange server
//	providers[].servers[].exchangeVersion              found by client    ews: newest version of Exchange Web Services
//	                                                                      that it understands: Exchange2007
//	                                                                      Exchange2007_SP1 Exchange2010 Exchange2010_SP1
//	                                                                      Exchange2010_SP2 Exchange2013 Exchange2013_SP1
//	                                                                      Exchange2015 Exchange2015_SP1 Exchange2016
//	providers[].servers[].restURL                      none               ews: URL of the server's REST protocol, for
//	                                                                      autodiscover.json; https only
//	providers[].servers[].graphURL                     none               ews: the same for Graph
//	providers[].webmail                                none               URL; may hold %EMAILDOMAIN%
//	providers[].logo                                   none               URL of a picture for mail programs (PACC),
//	                                                                      https only
//	providers[].developer                              none               URL of a page for authors of mail programs
//	                                                                      (PACC); may hold %EMAILDOMAIN%
//	providers[].documentation                          none               help pages for people
//	providers[].documentation[].url                    required           URL; may hold %EMAILDOMAIN%
//	providers[].documentation[].descr.‹language›       none               title of the page in a language, such as en or
//	                                                                      sv; people see the URL if there is none
//	providers[].support.status                         none               URL of the page about incidents; may hold
//	                                                                      %EMAILDOMAIN%
//	providers[].support.passwordReset                  none               URL for choosing a new password; may hold
//	                                                                      %EMAILDOMAIN%
//	providers[].support.appPassword                    none               URL where people make a password for mail
//	                                                                      programs, if these do not take that of the
//	                                                                      website; may hold %EMAILDOMAIN%
//	providers[].support.controlPanel                   none               URL where people see the state of their
//	                                                                      account; may hold %EMAILDOMAIN%
//	providers[].support.contact.url                    branding's         contact page of this provider
//	providers[].support.contact.email                  branding's         mail address for customers of this provider
//	providers[].support.contact.phone                  branding's         telephone number for customers of this
//	                                                                      provider
//	providers[].support.sendingLimits.perAddress       none               messages per hour that one address can send
//	providers[].support.sendingLimits.perDomain        none               messages per hour that all addresses of a
//	                                                                      domain can send
//	providers[].support.sendingLimits.wait             none               how long sending is blocked after that, such
//	                                                                      as 60m
//	providers[].support.checks                         none               more to check when mail does not work, a list
//	                                                                      of {en: …, sv: …}
//	providers[].notices                                none               temporary notices for all customers on the
//	                                                                      set-up page
//	providers[].notices[].text.‹language›              required           the notice in a language
//	providers[].notices[].from                         at once            the first day on which the page shows it, such
//	                                                                      as 2026-12-01
//	providers[].notices[].until                        no end             the last day
//	providers[].notices[].url                          none               a page with more information
//	providers[].oAuth2.issuer                          required           host name or URL of the authorisation server
//	providers[].oAuth2.scope                           required           a list, or text with spaces; must cover all
//	                                                                      servers
//	providers[].oAuth2.clientID                        none               id of a public client, for clients that have
//	                                                                      none of their own here
//	providers[].oAuth2.authURL                         required           where people sign in
//	providers[].oAuth2.tokenURL                        required           where clients get a token
//	providers[].passwords                              true               false: clients are told OAuth2 only
//	providers[].autodiscover.hostname                  none               the service that answers Autodiscover instead
//	                                                                      of this one
//	providers[].autodiscover.answer                    http               how clients are sent there: http (302) or xml
//	                                                                      (redirectUrl)
//	providers[].autodiscover.redirectAddr              none               instead of hostname: the address to ask for;
//	                                                                      may hold %EMAILLOCALPART% and %EMAILDOMAIN%
//	providers[].idnLogin                               ascii              how a login spells a domain with other
//	                                                                      letters than ASCII: ascii (xn--…) or unicode
//	providers[].aliasLogin                             address            login for an alias: address (the alias itself,
//	                                                                      which most servers refuse) or mailbox (shows
//	                                                                      the mailbox to everyone who asks)
//	providers[].withoutAddress                         ordinary           what clients that send no address are told:
//	                                                                      ordinary (what an unlisted address gets) or
//	                                                                      nothing
//	accounts                                           none               sources of accounts, asked in order until one
//	                                                                      lists the mailbox
//	accounts[].list.‹address›.provider                 by domain          id of the provider
//	accounts[].list.‹address›.alias                    none               the mailbox that receives the mail of this
//	                                                                      address
//	accounts[].list.‹address›.inactive                 false              true: this account has no mail at present;
//	                                                                      only "show" says so
//	accounts[].list.‹address›.username                 the provider's     user name of this account, at every server
//	accounts[].list.‹address›.displayName              none               name of the person, shown to the operator only
//	accounts[].sql                                     none               a database as a source; the columns of its
//	                                                                      results have the names of the keys of list,
//	                                                                      and address, domain and mailHost
//	accounts[].sql.database                            required           mysql://user@host/name,
//	                                                                      postgres://user@host1,host2/name or
//	                                                                      sqlite:/path; ?socket=/path, ?socketType=plain
//	                                                                      and ?caRoot=/path may follow
//	accounts[].sql.passwordFile                        none               file that holds the user's password on one
//	                                                                      line, or credential:NAME of systemd; read at
//	                                                                      each connect
//	accounts[].sql.caRoot                              the system's       file of the root certificate of the server's
//	                                                                      own certificate
//	accounts[].sql.connections                         4                  most connections at a time
//	accounts[].sql.account                             none               query for an address: %s is the address, %u
//	                                                                      what stands before its @, %d its domain, %% a
//	                                                                      percent sign
//	accounts[].sql.domain                              none               query for one domain, %s; without it a new
//	                                                                      domain waits for refresh
//	accounts[].sql.domains                             none               query for all domains; false: only the
//	                                                                      accounts are asked for, and domains stand
//	                                                                      elsewhere
//	accounts[].ldap                                    none               an LDAP directory as a source
//	accounts[].ldap.server                             required           ldaps://host, ldap://host (StartTLS, except to
//	                                                                      this machine) or ldapi://; a list is tried in
//	                                                                      order; the first may end in the base
//	accounts[].ldap.socketType                         none               plain: ldap:// to other machines is not
//	                                                                      encrypted
//	accounts[].ldap.bindDN                             none               who asks, with passwordFile; without it, the
//	                                                                      search is anonymous
//	accounts[].ldap.passwordFile                       none               as of sql
//	accounts[].ldap.caRoot                             the system's       as of sql
//	accounts[].ldap.connections                        4                  as of sql
//	accounts[].ldap.base                               of server          entry below which accounts are searched for;
//	                                                                      may hold %d; one that ends in a comma is
//	                                                                      completed by that of server
//	accounts[].ldap.account                            required           filter for an address, with the placeholders
//	                                                                      of sql
//	accounts[].ldap.attributes.address                 from account       attribute with the mailbox's own address; who
//	                                                                      asks with another is an alias of it. Several
//	                                                                      names may stand here, as in the next ones: the
//	                                                                      first with a value counts
//	accounts[].ldap.attributes.username                none               attribute with its user name
//	accounts[].ldap.attributes.displayName             none               attribute with the name of the person
//	accounts[].ldap.attributes.provider                none               attribute with the provider
//	accounts[].ldap.attributes.mailHost                none               attribute with the host, for %MAILHOST%
//	accounts[].ldap.attributes.alias                   none               attribute with the addresses that get the mail
//	                                                                      of an entry that is no mailbox
//	accounts[].ldap.attributes.aliasClass              none               object class of such entries; without it,
//	                                                                      those without address
//	accounts[].ldap.inactive                           none               ATTRIBUTE=VALUE, ATTRIBUTE!=VALUE or
//	                                                                      ATTRIBUTE&BIT, or a list of them: the mailbox
//	                                                                      does not work now
//	accounts[].ldap.domainBase                         as base            entry below which domains are searched for
//	accounts[].ldap.domain                             none               filter for one domain, %s; without it the
//	                                                                      directory has no domains
//	accounts[].ldap.domains                            from domain        filter for all domains; false as of sql
//	accounts[].ldap.domainAttributes.domain            from domain        attribute with the domain's own name
//	accounts[].ldap.domainAttributes.alias             none               attribute with the domain that this is another
//	                                                                      name of
//	accounts[].ldap.domainAttributes.provider          none               attribute with the provider
//	accounts[].ldap.domainAttributes.mailHost          none               attribute with the host, for %MAILHOST%
//	accounts[].ldap.domainInactive                     none               like inactive; an inactive domain is not
//	                                                                      hosted
//	accounts[].postfix                                 none               Postfix's tables as text files; hash:/path and
//	                                                                      lmdb:/path are read at /path
//	accounts[].postfix.domains                         from mailboxes     virtual_mailbox_domains and
//	                                                                      virtual_alias_domains: a file or a list of
//	                                                                      files; false as of sql
//	accounts[].postfix.mailboxes                       none               virtual_mailbox_maps, likewise
//	accounts[].postfix.aliases                         none               virtual_alias_maps, likewise
//	accounts[].postfix.unixUsers                       false              true: an alias that leads to a name without @
//	                                                                      is the mailbox of that Unix user, who signs in
//	                                                                      with the name
//	accounts[].passwd                                  none               Dovecot's passwd-file; only its first field is
//	                                                                      read
//	accounts[].passwd.file                             required           the file, or a list of files
//	accounts[].passwd.domain                           none               domain of users that are written without one
//	accounts[].passwd.domains                          from mailboxes     as of postfix
//	accounts[].passwd.aliases                          none               as of postfix
//	accounts[].dockermailserver                        none               docker-mailserver's files; the preset of the
//	                                                                      same name has its LDAP
//	accounts[].dockermailserver.folder                 required           folder with postfix-accounts.cf and postfix-
//	                                                                      virtual.cf
//	accounts[].dockermailserver.domains                from mailboxes     false as of sql
//	accounts[].‹source›                                none               a preset: a mail system that is known by name,
//	                                                                      as "signpost presets" lists; all keys of its
//	                                                                      general form may stand below it. The following
//	                                                                      keys are those of all sources but list
//	accounts[].‹source›.provider                       the only one       id of the provider of the source's domains;
//	                                                                      required if the file has several
//	accounts[].‹source›.providers                      none               words of the source and the ids of providers
//	                                                                      that they mean; without it they are ids
//	accounts[].‹source›.timeout                        500ms              time for one question
//	accounts[].‹source›.refresh                        1m                 how often the list of domains is read
//	accounts[].‹source›.keep                           24h                how long a known account is used while the
//	                                                                      source fails
//
// tls.acme.storage is /var/lib/signpost/certificates.
//
// "required" applies only if the section of the key is used. Paths are relative to
// the configuration file.
//
// For anna@example.com the placeholders stand for these texts: %EMAILADDRESS% for
// anna@example.com, %EMAILLOCALPART% for anna, and %EMAILDOMAIN% for example.com.
package config
