package setup

import (
	"slices"
	"strings"
)

// device is a kind of device or program. Its values are the values of the parameter
// device; the first six are also the anchors of the page's sections.
type device string

const (
	iPhone      device = "iphone" // and iPad
	mac         device = "mac"
	android     device = "android"
	outlook     device = "outlook"
	thunderbird device = "thunderbird"
	other       device = "other"

	// Visitors without a section of their own.
	unknown        device = ""
	samsung        device = "samsung"
	chromeOS       device = "chromeos" // runs Android's apps
	windows        device = "windows"
	linux          device = "linux"
	newOutlook     device = "outlook-new" // for Windows
	classicOutlook device = "outlook-classic"

	allDevices device = "all" // all sections open, for printing and the support desk
)

// orders lists the sections for each visiting device, the likeliest first.
var orders = map[device][]device{
	unknown:        {iPhone, android, outlook, thunderbird, mac, other},
	iPhone:         {iPhone, mac, outlook, android, thunderbird, other},
	mac:            {mac, iPhone, outlook, thunderbird, android, other},
	android:        {android, outlook, thunderbird, iPhone, mac, other},
	samsung:        {android, outlook, thunderbird, iPhone, mac, other},
	chromeOS:       {android, other, thunderbird, iPhone, outlook, mac},
	outlook:        {outlook, thunderbird, iPhone, android, mac, other},
	newOutlook:     {outlook, thunderbird, iPhone, android, mac, other},
	classicOutlook: {outlook, thunderbird, iPhone, android, mac, other},
	thunderbird:    {thunderbird, outlook, iPhone, android, mac, other},
	other:          {other, iPhone, android, outlook, thunderbird, mac},
	windows:        {outlook, thunderbird, iPhone, android, mac, other},
	linux:          {thunderbird, other, iPhone, android, outlook, mac},
	allDevices:     {iPhone, android, outlook, thunderbird, mac, other},
}

// programs lists the sections of what runs on a visiting device.
var programs = map[device][]device{
	iPhone:         {iPhone},
	mac:            {mac, outlook, thunderbird},
	android:        {android},
	samsung:        {android},
	chromeOS:       {android},
	windows:        {outlook, thunderbird},
	newOutlook:     {outlook, thunderbird},
	classicOutlook: {outlook, thunderbird},
	thunderbird:    {thunderbird},
	linux:          {thunderbird, other},
}

// parseDevice returns the device that the parameter device names, and whether it
// names one.
func parseDevice(name string) (device, bool) {
	if name == "ipad" {
		return iPhone, true
	}
	_, ok := orders[device(name)]
	return device(name), ok && name != ""
}

// guessDevice returns the device that a User-Agent header suggests.
//
// The guess only decides the order of the page: if it is wrong, the right section
// is further down.
func guessDevice(agent string) device {
	contains := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(agent, name) })
	}
	switch {
	case contains("iPhone", "iPad", "iPod"):
		return iPhone
	case contains("Macintosh") && contains("CriOS/", "FxiOS/", "EdgiOS/", "Mobile/"):
		return iPhone // an iPad that asks for desktop pages
	case contains("SamsungBrowser/"):
		return samsung
	case contains("Android"):
		return android
	case contains("CrOS"):
		return chromeOS
	case contains("Thunderbird/"): // a page in a tab of Thunderbird
		return thunderbird
	case contains("Macintosh"):
		return mac
	case contains("Windows"):
		return windows
	case contains("X11", "Linux"):
		return linux
	}
	return unknown
}

// maybeIPad reports whether the browser that calls itself a Mac's may be an iPad's:
// Safari and the browsers built on it say the same on both. Chrome and Firefox do not.
func maybeIPad(agent string) bool {
	return guessDevice(agent) == mac && strings.Contains(agent, "Safari/") &&
		!strings.Contains(agent, "Chrome/")
}
