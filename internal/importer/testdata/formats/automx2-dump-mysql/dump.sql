-- MariaDB dump 10.19
/*!40101 SET NAMES utf8mb4 */;
CREATE TABLE `provider` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `name` varchar(128) NOT NULL,
  `short_name` varchar(32) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `provider` VALUES (1,'Fjord\'s Mail','Fjord'),(2,'Vik; Post','Vik');
CREATE TABLE `domain` (
  `id` int(11) NOT NULL,
  `name` varchar(128) NOT NULL,
  `provider_id` int(11) NOT NULL,
  `ldapserver_id` int(11) DEFAULT NULL,
  UNIQUE KEY `name` (`name`),
  KEY `provider_id` (`provider_id`)
);
INSERT INTO `domain` VALUES (1,'fjord.example',1,NULL),(2,'vik.example',2,NULL),(3,'orphan.example',2,NULL);
CREATE TABLE `server` (
  `id` int(11) NOT NULL,
  `prio` int(11) NOT NULL DEFAULT 10,
  `name` varchar(128) NOT NULL,
  `port` int(11) NOT NULL,
  `type` varchar(32) NOT NULL,
  `socket_type` varchar(32) NOT NULL,
  `user_name` varchar(64) NOT NULL,
  `authentication` varchar(32) NOT NULL
);
INSERT INTO `server` VALUES (1,10,'mail.fjord.example',993,'imap','SSL','%EMAILADDRESS%','plain'),
(2,10,'mail.fjord.example',465,'smtp','SSL','%EMAILADDRESS%','plain');
CREATE TABLE `server_domain` (`server_id` int(11) NOT NULL, `domain_id` int(11) NOT NULL);
INSERT INTO `server_domain` VALUES (1,1),(2,1),(1,2),(2,2);
-- Dump completed on 2026-11-20 10:00:00
