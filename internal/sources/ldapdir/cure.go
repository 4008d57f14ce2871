package ldapdir

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// kind is the make of a server, which decides what mends a fault.
type kind int

const (
	otherKind kind = iota
	openLDAP
	activeDirectory // or Samba
	freeIPA         // or another 389 Directory Server
)

// kindOf tells the kind from the root entry (RFC 4512 §5.1). Only OpenLDAP can be told to
// hide it, and root is then nil.
func kindOf(root *ldap.Entry) kind {
	switch {
	case root == nil:
		return openLDAP
	case len(valuesOf(root, "rootDomainNamingContext")) > 0:
		return activeDirectory
	case strings.HasPrefix(firstValue(root, []string{"vendorName"}), "389"):
		return freeIPA
	case containsFold(valuesOf(root, "objectClass"), "OpenLDAProotDSE"):
		return openLDAP
	}
	return otherKind
}

// cureOfRights says how the account gets the right to read below an entry.
func (c *check) cureOfRights(dn string) string {
	// OpenLDAP refuses a rule for an attribute that it does not know.
	names := slices.DeleteFunc(c.allAttributes(), func(name string) bool { return !c.knows(name) })
	switch {
	case c.options.BindDN == "":
		return "the directory may want to know who asks: set bindDN and passwordFile"
	case c.kind == openLDAP:
		return fmt.Sprintf(`add to the database's entry in cn=config: olcAccess: {0}to dn.subtree="%s" attrs=entry,%s `+
			`by dn.exact="‹the bindDN of this source›" read by * break`, dn, strings.Join(names, ","))
	case c.kind == activeDirectory:
		return fmt.Sprintf(`dsacls "%s" /I:T /G "‹domain\user›:GR" (Samba: samba-tool dsacl set)`, dn)
	case c.kind == freeIPA:
		return fmt.Sprintf(`ipa permission-add "Signpost" --bindtype=all --subtree="%s" `+
			`--right={read,search,compare} --attrs={%s}`, dn, strings.Join(names, ","))
	}
	return fmt.Sprintf("let the account of bindDN search and read below %q: %s", dn, strings.Join(names, ", "))
}

// cureOfLimit says how the account gets lists of any length.
func (k kind) cureOfLimit() string {
	if k == openLDAP {
		return `add to the database's entry in cn=config: olcLimits: dn.exact="‹the bindDN of this source›" ` +
			`size.soft=unlimited size.hard=unlimited size.prtotal=unlimited`
	}
	return "raise the limit of entries for the account of bindDN"
}

// cureOfIndex says how an attribute gets an index for parts of its values.
func (k kind) cureOfIndex(name string) string {
	switch k {
	case openLDAP:
		return "add to the database's entry in cn=config: olcDbIndex: " + name +
			" eq,sub; or list the domains in the file"
	case freeIPA:
		return `dsconf … backend index add --attr ` + name +
			` --index-type sub --reindex …; or list the domains in the file`
	}
	return "list the domains in the file"
}

// bindErrors are the reasons that Active Directory gives as "data NUMBER" for a bind that
// failed, which are error codes of Windows ([MS-ERREF] §2.2).
var bindErrors = map[string]string{
	"525": "there is no such user",
	"52e": "the name or the password is wrong",
	"530": "the user may not sign in at this time",
	"531": "the user may not sign in from here",
	"532": "the password has expired",
	"533": "the user is disabled",
	"701": "the user has expired",
	"773": "the password must be changed first",
	"775": "the user is locked",
}

// cureOfConnect says what mends a connection that did not come up.
func cureOfConnect(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	switch {
	case e.Code == ldap.LDAPResultInvalidCredentials:
		if _, after, found := strings.Cut(e.details, ", data "); found {
			number, _, _ := strings.Cut(after, ",")
			if reason := bindErrors[number]; reason != "" {
				return reason
			}
		}
		return "bindDN or the password in its file is wrong"
	case e.Code == ldap.LDAPResultStrongAuthRequired, e.Code == ldap.LDAPResultConfidentialityRequired:
		return "the server wants encryption: write ldaps://"
	case e.Code == ldap.LDAPResultInvalidDNSyntax:
		return "bindDN is not a DN"
	case strings.Contains(e.Class, "unknown authority"):
		return "set caRoot to the root certificate of the server's authority " +
			"(FreeIPA: /etc/ipa/ca.crt; Active Directory: certutil -ca.cert root.cer)"
	case strings.Contains(e.Class, "its certificate is refused"):
		return "write the name that is in the certificate"
	}
	return ""
}
