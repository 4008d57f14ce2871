package autodiscover

import (
	"slices"
	"strings"

	"signpost/account"
)

// Codes of SOAP Autodiscover, for the whole answer, a mailbox or domain, and a setting
// ([MS-OXWSADISC], "ErrorCode (SOAP)").
const (
	noError        Code = "NoError"
	redirectURL    Code = "RedirectUrl"
	redirectedTo   Code = "RedirectAddress"
	invalidUser    Code = "InvalidUser"
	invalidDomain  Code = "InvalidDomain"
	badSOAPRequest Code = "InvalidRequest"
	invalidSetting Code = "InvalidSetting"
	settingNotHere Code = "SettingIsNotAvailable"
	serverBusy     Code = "ServerBusy"
	notFederated   Code = "NotFederated"
)

// soapMessages are the texts for the codes.
var soapMessages = map[Code]string{
	noError:        "No error.",
	redirectURL:    "Another service answers for the mailbox.",
	redirectedTo:   "Another address is to be asked for.",
	invalidUser:    "The email address can't be found.",
	invalidDomain:  "The domain can't be found.",
	badSOAPRequest: "The request names no mailbox or domain, or no setting.",
	invalidSetting: "The setting is not known.",
	settingNotHere: "The setting is not available.",
	serverBusy:     "The server cannot answer now.",
	notFederated:   "The domain is not federated.",
}

// settings returns the settings of Exchange for a mailbox that has an EWS server.
//
// The URL is the same outside and inside: EWS libraries ask for both, and take the one of
// outside (ews-javascript-api, adjustServiceUriFromCredentials). The name of the person is
// the address; strangers must not learn more.
func (a *soapAnswer) settings() map[string]string {
	url := a.server.Expand(a.Login).URL
	values := map[string]string{
		"InternalEwsUrl":  url,
		"ExternalEwsUrl":  url,
		"UserMSOnline":    "False",
		"MapiHttpEnabled": "False",
	}
	if !a.Address.IsAny() {
		values["UserDisplayName"] = a.Address.String()
		values["AutoDiscoverSMTPAddress"] = a.Address.String()
	}
	if i := slices.Index(account.ExchangeVersions, a.server.ExchangeVersion); i >= 0 {
		values["EwsSupportedSchemas"] = strings.Join(account.ExchangeVersions[:i+1], ", ")
	}
	return values
}

// userSettings are the other settings that Exchange knows ("Setting (SOAP)", and
// SETTINGS_MAP in exchangelib/properties.py), of which none is available here. Any other
// name is no setting.
var userSettings = words(`UserDisplayName UserDN UserDeploymentId InternalMailboxServer InternalRpcClientServer
	InternalMailboxServerDN InternalEcpUrl InternalEcpVoicemailUrl InternalEcpEmailSubscriptionsUrl
	InternalEcpTextMessagingUrl InternalEcpDeliveryReportUrl InternalEcpRetentionPolicyTagsUrl InternalEcpPublishingUrl
	InternalEcpPhotoUrl InternalEcpConnectUrl InternalEcpTeamMailboxUrl InternalEcpTeamMailboxCreatingUrl
	InternalEcpTeamMailboxEditingUrl InternalEcpTeamMailboxHidingUrl InternalEcpExtensionInstallationUrl
	InternalEwsUrl InternalEmwsUrl InternalOABUrl InternalPhotosUrl InternalUMUrl InternalWebClientUrls MailboxDN
	PublicFolderServer ActiveDirectoryServer ExternalMailboxServer ExternalMailboxServerRequiresSSL
	ExternalMailboxServerAuthenticationMethods EcpVoicemailUrlFragment EcpEmailSubscriptionsUrlFragment
	EcpTextMessagingUrlFragment EcpDeliveryReportUrlFragment EcpRetentionPolicyTagsUrlFragment EcpPublishingUrlFragment
	EcpPhotoUrlFragment EcpConnectUrlFragment EcpTeamMailboxUrlFragment EcpTeamMailboxCreatingUrlFragment
	EcpTeamMailboxEditingUrlFragment EcpExtensionInstallationUrlFragment ExternalEcpUrl ExternalEcpVoicemailUrl
	ExternalEcpEmailSubscriptionsUrl ExternalEcpTextMessagingUrl ExternalEcpDeliveryReportUrl
	ExternalEcpRetentionPolicyTagsUrl ExternalEcpPublishingUrl ExternalEcpPhotoUrl ExternalEcpConnectUrl
	ExternalEcpTeamMailboxUrl ExternalEcpTeamMailboxCreatingUrl ExternalEcpTeamMailboxEditingUrl
	ExternalEcpTeamMailboxHidingUrl ExternalEcpExtensionInstallationUrl ExternalEwsUrl ExternalEmwsUrl ExternalOABUrl
	ExternalPhotosUrl ExternalUMUrl ExternalWebClientUrls CrossOrganizationSharingEnabled AlternateMailboxes CasVersion
	EwsSupportedSchemas InternalPop3Connections ExternalPop3Connections InternalImap4Connections
	ExternalImap4Connections InternalSmtpConnections ExternalSmtpConnections InternalServerExclusiveConnect
	ExternalServerExclusiveConnect ExchangeRpcUrl ShowGalAsDefaultView AutoDiscoverSMTPAddress InteropExternalEwsUrl
	ExternalEwsVersion InteropExternalEwsVersion MobileMailboxPolicy MobileMailboxPolicyInterop
	DocumentSharingLocations UserMSOnline InternalMailboxServerAuthenticationMethods MailboxVersion SPMySiteHostURL
	SiteMailboxCreationURL InternalRpcHttpServer InternalRpcHttpConnectivityRequiresSsl
	InternalRpcHttpAuthenticationMethod ExternalRpcHttpServer ExternalRpcHttpConnectivityRequiresSsl
	ExternalRpcHttpAuthenticationMethod ExternalMailboxServerAuthenticationMethods GroupingInformation MapiHttpEnabled
	PublicFolderInformation`)

// withoutError are settings that are left out without an error. exchangelib 4.9 to 5.4.0 asks for them whether
// it needs them or not, and gives up on any error of a setting (raise_errors in exchangelib/properties.py).
var withoutError = words("UserDN MailboxDN EwsSupportedSchemas")

// domainSettings are the settings of a domain ("GetDomainSettings").
var domainSettings = words("ExternalEwsUrl ExternalEwsVersion")

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}
