package ldapdir

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// secrets are attributes that hold passwords or keys made of them.
var secrets = []string{
	"userPassword", "sambaNTPassword", "sambaLMPassword", "krbPrincipalKey", "ipaNTHash", "unicodePwd", "ms-Mcs-AdmPwd",
}

// passwords warns if the account may read passwords. It asks for the names of attributes
// only, so that no password comes here.
func (c *check) passwords() {
	var filter strings.Builder
	filter.WriteString("(|")
	for _, name := range secrets {
		filter.WriteString("(" + name + "=*)")
	}
	filter.WriteString(")")
	r := c.request(c.fixedBase(), filter.String(), secrets)
	r.TypesOnly = true
	result, err := c.conn.Search(r)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && result == nil {
		return
	}
	var readable []string
	for _, e := range result.Entries {
		if strings.EqualFold(e.DN, c.options.BindDN) {
			continue // everybody may know the own one
		}
		for _, a := range e.Attributes {
			readable = attributeList(readable, []string{a.Name})
		}
	}
	if len(readable) == 0 {
		return
	}
	cure := "let the account of bindDN read the attributes that are needed, and no others"
	if c.kind == openLDAP {
		cure = "add to the database's entry in cn=config: olcAccess: {0}to attrs=" + strings.Join(readable, ",") +
			" by self write by anonymous auth by * none"
	}
	c.warn("the account may read passwords: "+strings.Join(readable, ", "), cure)
}

// effectiveRights is the control with which 389 Directory Server, and so FreeIPA, tells what
// somebody may do with an entry.
const effectiveRights = "1.3.6.1.4.1.42.2.27.9.5.2"

// writing warns if the account may change the mailbox dn, as far as the server tells: Active
// Directory and Samba list the attributes, 389 Directory Server has a control, and of others
// the name of the account is all there is to see.
func (c *check) writing(dn string) {
	switch {
	case c.options.BindDN == "":
		return
	case c.kind == activeDirectory:
		if e := c.look(dn, "allowedAttributesEffective"); e != nil {
			if n := len(valuesOf(e, "allowedAttributesEffective")); n > 0 {
				c.warn(fmt.Sprintf("the account may change %d attributes of a mailbox", n),
					"take an ordinary user for bindDN")
			}
		}
	case c.kind == freeIPA:
		r := c.exists(dn)
		r.Attributes = c.account.asked
		r.Controls = []ldap.Control{ldap.NewControlString(effectiveRights, false, "dn:"+c.options.BindDN)}
		result, err := c.conn.Search(r)
		if err == nil && len(result.Entries) > 0 && mayWrite(result.Entries[0]) {
			c.warn("the account may change a mailbox", "take an account for bindDN that has no role")
		}
	case isAdministrator(c.options.BindDN):
		c.warn("bindDN looks like the name of an administrator, who may change everything",
			"make an account that may read only")
	}
}

// mayWrite reports whether an entry with effective rights may be changed: its own rights are
// letters of v (view), a, d and n, those of attributes of r, s, c, w, o, W and O. No right is
// none, and an error is a number.
func mayWrite(e *ldap.Entry) bool {
	has := func(rights, letters string) bool { return rights != "none" && strings.ContainsAny(rights, letters) }
	return has(firstValue(e, []string{"entryLevelRights"}), "adn") ||
		slices.ContainsFunc(valuesOf(e, "attributeLevelRights"), func(text string) bool {
			for part := range strings.SplitSeq(text, ",") {
				if _, rights, _ := strings.Cut(part, ":"); has(rights, "wo") {
					return true
				}
			}
			return false
		})
}

// isAdministrator reports whether a DN begins like those of administrators: OpenLDAP's in
// its examples, 389 Directory Server's, FreeIPA's, Zimbra's and Active Directory's.
func isAdministrator(dn string) bool {
	dn = strings.ToLower(strings.ReplaceAll(dn, " ", ""))
	return slices.ContainsFunc([]string{"cn=admin,", "cn=manager,", "cn=root,", "cn=config", "cn=directorymanager",
		"uid=admin,", "uid=zimbra,", "cn=administrator,", "administrator@"},
		func(name string) bool { return strings.HasPrefix(dn, name) })
}
