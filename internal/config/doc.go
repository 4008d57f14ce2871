// Package config reads the one YAML file that an operator writes, and the files
// that it names, into checked providers and accounts. Whatever is wrong is said
// at once, with file and line, the place in words and the nearest right word;
// what is allowed but suspicious becomes a warning.
//
// The words are those of Mozilla's autoconfig format wherever they fit. These
// are all keys; [] is an item of a list, ‹› a word of the operator's own:
//
//	key                                                default            meaning
//	listen                                             127.0.0.1:8080     where plain HTTP is served; ":8080" is everywhere; or unix:path
//	admin.listen                                       127.0.0.1:9480     where metrics and the like are served, host:port or unix:path; or none
//	admin.askPerHour                                   1000               new names an hour, ours only by MX, that a proxy may order certificates for
//	admin.pprof                                        false              true: /debug/pprof there tells what the program is doing inside
//	trustedProxies                                     127.0.0.0/8 ::1    addresses and networks whose word on who is asking is taken; or none
//	proxyHeaders                                       x-forwarded        what they set: x-forwarded (-For, -Proto, -Host) or forwarded (RFC 7239)
//	proxyProtocol                                      false              true: they begin each connection with PROXY protocol version 2
//	limits.requests                                    50                 a second from one address (of IPv6, one /64) on average; 0: no limit
//	limits.burst                                       2000               requests at once from an address that has been quiet
//	limits.connections                                 10000              open at a time, of each listener
//	limits.connectionsPerAddress                       a tenth            of them from one address (of IPv6, one /64), at least 10; 0: no limit
//	limits.header                                      5s                 how long the header of a request may take
//	limits.read                                        10s                how long the whole request may take
//	limits.write                                       30s                how long the answer may take
//	limits.idle                                        1m                 how long a connection is kept for the next request
//	limits.stop                                        10s                how long requests in flight are waited for at the end
//	log.format                                         text               text or json
//	log.level                                          info               debug info warn error
//	log.requests                                       500                requests that get a line a second; 0: none
//	name                                               none               the service's own host name, for the page, profiles and absolute URLs
//	apexCertificates                                   false              true: hosted domains themselves may have certificates, by tls.acme or a proxy
//	tls.listen                                         :443               where HTTPS is served, host:port or unix:path; without tls, a proxy in front does
//	tls.certificates                                   none               files; one name may have several kinds, and ECDSA is preferred
//	tls.certificates[].certificate                     required           file of the certificate and its chain; read again when it changes
//	tls.certificates[].key                             required           file of its private key
//	tls.acme.storage                                   see below          folder for what is ordered; keep it, or all is ordered again
//	tls.acme.email                                     none               yours, for the ACME server to write to
//	tls.acme.directory                                 Let's Encrypt's    URL of an ACME server; to order from it is to agree to its terms
//	tls.acme.caRoot                                    the system's       file of the root that the ACME server's own certificate leads to
//	tls.acme.ordersPerHour                             90                 a quarter of it is kept for renewals, another for names that are listed here
//	profiles.certificate                               unsigned           file of the certificate and its chain that sign Apple profiles
//	profiles.key                                       unsigned           file of its private key
//	branding.name                                      the host name      of the mail service, on the set-up page
//	branding.logo                                      the name           file of a picture, at most 64 KiB: PNG, JPEG, WebP, GIF or SVG
//	branding.accent                                    "#1b55a6"          colour of buttons and links, with enough contrast to white
//	branding.contact.url                               none               how a person reaches a person: a page,
//	branding.contact.email                             none               a mail address,
//	branding.contact.phone                             none               a telephone number
//	branding.templates                                 none               folder whose files overlay the page's own: html, text, static
//	dns.servers                                        the system's       IP addresses, with or without a port, that answer the mx rule
//	dns.timeout                                        2s                 how long one try may take
//	dns.addresses                                      none               of this service: customers' names get A and AAAA records instead of a CNAME to name
//	dns.ttl                                            1h                 of the records that domains should have
//	dns.updates                                        none               where "signpost records -publish" may write
//	dns.updates[].zone                                 required           a zone and all domains below it; "*" is any that no other names
//	dns.updates[].primary                              required           its primary name server, with or without a port
//	dns.updates[].keyFile                              required           file of the TSIG key, as tsig-keygen or keymgr print it; or key
//	dns.updates[].key.name                             required           the key itself, in place of keyFile
//	dns.updates[].key.algorithm                        hmac-sha256        or hmac-sha384, hmac-sha512
//	dns.updates[].key.secret                           required           in base64; who reads this file can write the zone
//	providers                                          required           one for each mail product
//	providers[].id                                     required           a word that names the provider here and to the support desk
//	providers[].displayName                            required           what people read, at most 60 characters
//	providers[].displayShortName                       from displayName   the same in at most 20 characters
//	providers[].domains                                none               hosted domains; "*" is any that no provider names; or domains.file
//	providers[].domains.file                           none               file with one domain a line, # for comments; may be an item too
//	providers[].mx                                     none               hosts, or "*.suffix": a domain with this best MX belongs here
//	providers[].servers                                required           in the order of preference; optional with autodiscover
//	providers[].servers[].type                         required           imap pop3 smtp activesync ews caldav carddav jmap managesieve
//	providers[].servers[].hostname                     required           for imap, pop3, smtp and managesieve; may hold %EMAILDOMAIN%
//	providers[].servers[].port                         by type            993 995 465 for SSL; 143 110 587 4190 for STARTTLS
//	providers[].servers[].socketType                   SSL                SSL, STARTTLS or plain; STARTTLS for managesieve and ports 25 110 143 587
//	providers[].servers[].url                          required           for the other types, https only; may hold placeholders
//	providers[].servers[].username                     "%EMAILADDRESS%"   what people sign in with; quote it, YAML refuses a leading %
//	providers[].servers[].domainName                   none               the NT domain of the login, where a client asks for one
//	providers[].servers[].authentication               password-cleartext one or a list: that, password-encrypted NTLM GSSAPI TLS-client-cert OAuth2
//	providers[].servers[].clients.‹client›             none               the login of one client: thunderbird outlook activesync apple pacc page
//	providers[].servers[].clients.‹client›.username    "%EMAILADDRESS%"   as above; the two replace the server's login as a whole
//	providers[].servers[].clients.‹client›.domainName  none               as above
//	providers[].servers[].pathPrefix                   none               imap: the folder that all others live under
//	providers[].servers[].pastDays                     7                  activesync: days of mail that an Apple device fetches: 0 (all) 1 3 7 14 31
//	providers[].servers[].principalURL                 found by client    caldav, carddav: the principal, https only; may hold placeholders
//	providers[].servers[].answerWithoutLogin           false              activesync: tell phones although the answer has no place for the login
//	providers[].webmail                                none               URL; may hold %EMAILDOMAIN%
//	providers[].documentation                          none               pages for people
//	providers[].documentation[].url                    required           URL; may hold %EMAILDOMAIN%
//	providers[].documentation[].descr.‹language›       required           the title of the page in a language, such as en or sv
//	providers[].support.status                         none               URL of the page that tells of incidents; may hold %EMAILDOMAIN%
//	providers[].support.passwordReset                  none               URL where a person chooses a new password; as above
//	providers[].support.controlPanel                   none               URL where a person sees what became of an account; as above
//	providers[].support.contact.url                    branding's         how a person reaches a person: a page,
//	providers[].support.contact.email                  branding's         a mail address,
//	providers[].support.contact.phone                  branding's         a telephone number
//	providers[].support.sendingLimits.perAddress       none               messages an hour that one address can send
//	providers[].support.sendingLimits.perDomain        none               messages an hour that all addresses of a domain can send
//	providers[].support.sendingLimits.wait             none               how long sending is blocked after that, such as 60m
//	providers[].support.checks                         none               more to look at when it does not work, a list of {en: …, sv: …}
//	providers[].notices                                none               what all customers should know for a while, on the set-up page
//	providers[].notices[].text.‹language›              required           the notice in a language
//	providers[].notices[].from                         at once            the first day on which the page shows it, such as 2026-12-01
//	providers[].notices[].until                        for good           the last day
//	providers[].notices[].url                          none               a page that says more
//	providers[].oAuth2.issuer                          required           host name or URL of the authorisation server
//	providers[].oAuth2.scope                           required           a list, or text with spaces; must cover all servers
//	providers[].oAuth2.authURL                         required           where a person signs in
//	providers[].oAuth2.tokenURL                        required           where a client fetches its token
//	providers[].passwords                              true               false: OAuth2 is the default, and no password is added after it
//	providers[].autodiscover.hostname                  none               the service that answers Autodiscover in our place
//	providers[].autodiscover.answer                    http               how clients are told: http (302) or xml (redirectUrl)
//	providers[].autodiscover.redirectAddr              none               instead of hostname: the address to ask for; may hold %EMAILLOCALPART%
//	providers[].aliasLogin                             address            mailbox: an alias's answers name the mailbox behind it
//	accounts                                           none               sources, asked in order until one knows the mailbox
//	accounts[].list.‹address›.provider                 by domain          id of the provider
//	accounts[].list.‹address›.alias                    none               the mailbox that receives the mail of this address
//	accounts[].list.‹address›.inactive                 false              true: no mail is served now; only "show" tells
//	accounts[].list.‹address›.username                 the provider's     what this account signs in with, at every server
//	accounts[].list.‹address›.displayName              none               of the person, for the operator's eyes
//
// tls.acme.storage is /var/lib/signpost/certificates.
//
// A key whose parent is absent is not required. Paths are relative to the file
// that names them.
package config
