package setup

import (
	"net/http"
	"slices"
	"strings"
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

// section is one of the page's sections.
type section struct {
	ID   device
	Open bool
}

// sections puts the sections into order and opens the first if we know
// something of the device, or all.
func (d device) sections() []section {
	var list []section
	for i, id := range orders[d] {
		list = append(list, section{id, d == everything || d != "" && i == 0})
	}
	return list
}

// deviceOf is the device that was asked for, or the one that seems to ask.
//
// The header decides on the order of the page and on nothing else: whoever it
// is wrong about finds all the rest below. An iPad calls itself a Macintosh,
// and its section stands second there.
func deviceOf(wanted string, h http.Header) device {
	if wanted == "ipad" {
		wanted = "iphone"
	}
	if _, ok := orders[device(wanted)]; ok && wanted != "" {
		return device(wanted)
	}
	agent := h.Get("User-Agent")
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
