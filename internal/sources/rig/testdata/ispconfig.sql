-- ISPConfig 3.2 (install/sql/ispconfig3.sql; a mirror of Sept 2021), database dbispconfig: the columns that matter.
CREATE TABLE server (server_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, server_name VARCHAR(255) NOT NULL DEFAULT '',
  mail_server TINYINT(1) NOT NULL DEFAULT 0, active TINYINT(1) NOT NULL DEFAULT 1) DEFAULT CHARSET=utf8;
CREATE TABLE mail_domain (domain_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, server_id INT UNSIGNED NOT NULL DEFAULT 0,
  domain VARCHAR(255) NOT NULL DEFAULT '', active ENUM('n','y') NOT NULL DEFAULT 'n', KEY server_id (server_id, domain), KEY domain_active (domain, active)) DEFAULT CHARSET=utf8;
CREATE TABLE mail_user (mailuser_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, server_id INT UNSIGNED NOT NULL DEFAULT 0,
  email VARCHAR(255) NOT NULL DEFAULT '', login VARCHAR(255) NOT NULL DEFAULT '', password VARCHAR(255) NOT NULL DEFAULT '', name VARCHAR(255) NOT NULL DEFAULT '',
  cc TEXT, postfix ENUM('n','y') NOT NULL DEFAULT 'y', access ENUM('n','y') NOT NULL DEFAULT 'y', disableimap ENUM('n','y') NOT NULL DEFAULT 'n',
  disablepop3 ENUM('n','y') NOT NULL DEFAULT 'n', disablesmtp ENUM('n','y') NOT NULL DEFAULT 'n', KEY server_id (server_id, email), KEY email_access (email, access)) DEFAULT CHARSET=utf8;
CREATE TABLE mail_forwarding (forwarding_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, server_id INT UNSIGNED NOT NULL DEFAULT 0,
  source VARCHAR(255) NOT NULL DEFAULT '', destination TEXT, type ENUM('alias','aliasdomain','forward','catchall') NOT NULL DEFAULT 'alias',
  active ENUM('n','y') NOT NULL DEFAULT 'n', allow_send_as ENUM('n','y') NOT NULL DEFAULT 'n', KEY server_id (server_id, source), KEY type (type)) DEFAULT CHARSET=utf8;
INSERT INTO server (server_id, server_name, mail_server) VALUES (1, 'mail1.hoster.example', 1), (2, 'mail2.hoster.example', 1);
INSERT INTO mail_domain (server_id, domain, active) VALUES (1, 'example.com', 'y'), (2, 'all.example', 'y'), (1, 'closed.example', 'n'),
  (1, 'xn--rksmrgs-5wao1o.example', 'y'), (1, 'example.net', 'y'); -- an alias domain has a row here, too
INSERT INTO mail_user (server_id, email, login, name, postfix, disableimap, disablepop3) VALUES
  (1, 'anna@example.com', 'anna@example.com', 'Anna Åström', 'y', 'n', 'n'),
  (1, 'bo@example.com', 'bosse', 'Bo "Bosse" O''Neil', 'y', 'n', 'n'),
  (1, 'o''hara@example.com', 'o''hara@example.com', 'Pat O''Hara', 'y', 'n', 'n'),
  (1, 'gone@example.com', 'gone@example.com', 'Gone Öberg', 'n', 'y', 'y'),
  (1, 'lisa@closed.example', 'lisa@closed.example', 'Lisa', 'y', 'n', 'n');
INSERT INTO mail_forwarding (server_id, source, destination, type, active) VALUES
  (1, '@example.net', '@example.com', 'aliasdomain', 'y'),
  (1, 'info@example.com', 'anna@example.com', 'alias', 'y'),
  (1, 'post@example.com', 'info@example.com', 'alias', 'y'),
  (1, 'sales@example.com', 'anna@example.com, bo@example.com', 'forward', 'y'),
  (1, 'loop1@example.com', 'loop2@example.com', 'forward', 'y'),
  (1, 'loop2@example.com', 'loop1@example.com', 'forward', 'y'),
  (1, 'ext@example.com', 'someone@elsewhere.test', 'forward', 'y'),
  (1, 'off@example.com', 'anna@example.com', 'alias', 'n'),
  (2, '@all.example', 'bo@example.com', 'catchall', 'y');
