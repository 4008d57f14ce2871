--
-- PostgreSQL database dump
--
CREATE TABLE public.provider (
    id integer NOT NULL,
    name character varying(128) NOT NULL,
    short_name character varying(32) NOT NULL,
    extra text DEFAULT 'a;b'::text
);
CREATE TABLE public.domain (
    id integer NOT NULL,
    name character varying(128) NOT NULL,
    provider_id integer NOT NULL,
    ldapserver_id integer
);
COPY public.provider (id, name, short_name, extra) FROM stdin;
1	Fjord Mail AB	Fjord	\N
\.
COPY public.domain (id, name, provider_id, ldapserver_id) FROM stdin;
1	fjord.example	1	\N
2	fjörd.example	1	\N
\.
COPY public.server (id, prio, name, port, type, socket_type, user_name, authentication) FROM stdin;
1	10	mail.fjord.example	993	imap	SSL	%EMAILADDRESS%	plain
2	10	mail.fjord.example	465	smtp	SSL	%EMAILADDRESS%	plain
\.
COPY public.server_domain (server_id, domain_id) FROM stdin;
1	1
2	1
1	2
2	2
\.

--
-- PostgreSQL database dump complete
--
