<?php
// Settings of our own; $autodiscover_config = array() would be a comment here.
/* The same
   here: $autodiscover_config['imap']['server'] = 'x'; */
$brand = 'Vrets'; # "not a text"
$autodiscover_config = array(
  'displayName' => $brand . ' post #1',
  'displayShortName' => "Vret's",
  'autodiscoverType' => 'activesync',
  'useEASforOutlook' => 'yes',
  'imap' => array(
    'server' => "imap.$mailcow_hostname",
    'port' => (int)filter_var(substr(getenv('IMAPS_PORT'), strrpos(getenv('IMAPS_PORT'), ':')), FILTER_SANITIZE_NUMBER_INT),
    'tlsport' => (int)filter_var(substr(getenv('IMAP_PORT'), strrpos(getenv('IMAP_PORT'), ':')), FILTER_SANITIZE_NUMBER_INT)
  ),
  'activesync' => array(
    'url' => 'https://' . $mailcow_hostname . ($https_port == 443 ? '' : ':' . $https_port) . '/Microsoft-Server-ActiveSync',
  ),
  'caldav' => array('server' => gethostname(), 'port' => $https_port),
  'logo' => 'x.png',
);
$autodiscover_config["smtp"]["server"] = 'smtp.' . $mailcow_hostname;
if (date('N') > 5) {
  $autodiscover_config['carddav']['server'] = 'weekend.example';
}
$MAILCOW_APPS[] = array('name' => 'Webmail', 'link' => '/SOGo/so');
