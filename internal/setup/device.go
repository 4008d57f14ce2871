package setup

import (
	"html/template"
	"slices"
	"strings"

	"signpost/templates"
)

// device is a kind of device or program that the page has a section for. The
// names are those of the sections' anchors and of ?device=.
type device string

const (
	iPhone      device = "iphone" // and iPad
	mac         device = "mac"
	android     device = "android"
	outlook     device = "outlook"
	thunderbird device = "thunderbird"
	other       device = "other"

	everything device = "all" // for printing, and for the support desk
)

// orders are the sections for each device that may ask, the likeliest first.
var orders = map[device][]device{
	"":          {iPhone, android, outlook, thunderbird, mac, other},
	iPhone:      {iPhone, mac, outlook, android, thunderbird, other},
	mac:         {mac, iPhone, outlook, thunderbird, android, other},
	android:     {android, outlook, thunderbird, iPhone, mac, other},
	outlook:     {outlook, thunderbird, iPhone, android, mac, other},
	thunderbird: {thunderbird, outlook, iPhone, android, mac, other},
	other:       {other, iPhone, android, outlook, thunderbird, mac},
	everything:  {iPhone, android, outlook, thunderbird, mac, other},
}

// section is one of the page's sections. The template of the same name as its ID
// writes what is inside.
type section struct {
	ID    string
	Title string
	Icon  template.HTML // paths of an SVG of 24 by 24
	Open  bool
}

var icons = map[device]template.HTML{
	iPhone:      `<rect x="7" y="2.5" width="10" height="19" rx="2.5"/><path d="M10.5 18.5h3"/>`,
	mac:         `<rect x="4" y="4.5" width="16" height="11" rx="1.5"/><path d="M2 19h20"/>`,
	android:     `<rect x="6" y="2.5" width="12" height="19" rx="1.5"/><path d="M6 17.5h12"/>`,
	outlook:     `<rect x="3" y="4" width="18" height="12.5" rx="1.5"/><path d="M9 20.5h6m-3-4v4"/>`,
	thunderbird: `<rect x="3" y="5.5" width="18" height="13" rx="2"/><path d="M3.5 7l8.5 6.5L20.5 7"/>`,
	other:       `<path d="M4 7h9m4 0h3M4 17h3m4 0h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
}

// sectionTitles are the keys of what the sections are called.
var sectionTitles = map[device]string{
	iPhone: "iphone.title", mac: "mac.title", android: "android.title",
	outlook: "outlook.title", thunderbird: "thunderbird.title", other: "other.title",
}

// sections puts the sections into order and opens the first if we know
// something of the device, or all.
func (d device) sections(lang *templates.Language) []section {
	list := make([]section, len(orders[d]))
	for i, id := range orders[d] {
		list[i] = section{string(id), lang.Words(sectionTitles[id]), icons[id], d == everything || d != "" && i == 0}
	}
	return list
}

// chosenDevice is the device of ?device=, if it is one.
func chosenDevice(word string) (device, bool) {
	if word == "ipad" {
		return iPhone, true
	}
	_, ok := orders[device(word)]
	return device(word), ok && word != ""
}

// deviceOf is the device that seems to ask.
//
// The header decides on the order of the page and on nothing else: whoever it
// is wrong about finds all the rest below. An iPad calls itself a Macintosh,
// and its section stands second there.
func deviceOf(agent string) device {
	contains := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(agent, word) })
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
