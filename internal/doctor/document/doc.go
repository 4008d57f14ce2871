// Package document reads what strangers' servers send as autoconfig, Autodiscover or PACC
// documents, without judging it: every client has rules of its own for what it takes.
//
// The readers of packages autoconfig and autodiscover say what a document means; this one
// keeps what a mistaken client makes of it: white space, attributes, order, empty elements.
package document
