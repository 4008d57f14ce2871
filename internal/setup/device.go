package setup

import (
	"slices"
	"strings"

	"signpost/templates"
)

// device is a kind of device or program that the page has a section for. Its values
// are the anchors of the sections and the values of the parameter device.
type device string

const (
	iPhone      device = "iphone" // and iPad
	mac         device = "mac"
	android     device = "android"
	outlook     device = "outlook"
	thunderbird device = "thunderbird"
	other       device = "other"

	allDevices device = "all" // all sections open, for printing and the support desk
)

// orders lists the sections for each visiting device, the likeliest first.
var orders = map[device][]device{
	"":          {iPhone, android, outlook, thunderbird, mac, other},
	iPhone:      {iPhone, mac, outlook, android, thunderbird, other},
	mac:         {mac, iPhone, outlook, thunderbird, android, other},
	android:     {android, outlook, thunderbird, iPhone, mac, other},
	outlook:     {outlook, thunderbird, iPhone, android, mac, other},
	thunderbird: {thunderbird, outlook, iPhone, android, mac, other},
	other:       {other, iPhone, android, outlook, thunderbird, mac},
	allDevices:  {iPhone, android, outlook, thunderbird, mac, other},
}

// section is one of the page's sections. Its content is written by the template
// named like its ID.
type section struct {
	ID    string
	Title string
	Open  bool
}

// sections returns the sections in the order for the device. The first is open if
// the device is known, and all are open for allDevices.
func (d device) sections(lang *templates.Language) []section {
	list := make([]section, len(orders[d]))
	for i, id := range orders[d] {
		list[i] = section{string(id), lang.Label(string(id) + ".title"), d == allDevices || d != "" && i == 0}
	}
	return list
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
// is further down. An iPad calls itself a Macintosh, so its section is the second
// there.
func guessDevice(agent string) device {
	contains := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(agent, name) })
	}
	switch {
	case contains("iPhone", "iPad", "iPod"):
		return iPhone
	case contains("Android"):
		return android
	case contains("Macintosh"):
		return mac
	case contains("Windows"):
		return outlook
	case contains("X11", "Linux"):
		return thunderbird
	}
	return ""
}
