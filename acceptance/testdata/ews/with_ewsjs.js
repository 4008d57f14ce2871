// Finds the EWS URL of an address with ews-javascript-api, as a program that uses it does, and opens the inbox.
const ews = require("ews-javascript-api");

const [address, password] = process.argv.slice(2);
const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2013);
service.Credentials = new ews.WebCredentials(address, password);
const result = {};
service.AutodiscoverUrl(address, url => url.startsWith("https://"))
  .then(() => {
    result.URL = service.Url.ToString();
    return ews.Folder.Bind(service, new ews.FolderId(ews.WellKnownFolderName.Inbox));
  })
  .then(folder => { result.Folder = folder.DisplayName; })
  .catch(error => { result.Failed = error.message || String(error); })
  .then(() => console.log(JSON.stringify(result)));
