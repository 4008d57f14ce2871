package setup

import (
	"github.com/chromedp/cdproto/emulation"

	"signpost/internal/browser"
)

// showAs is a way in which a browser shows the page, besides phone and computer.
type showAs struct {
	name          string
	width, height int64
	touch         bool
	features      []*emulation.MediaFeature
}

// modes are the ways in which people with a special device or need see the page. A zoom
// of 400 % on a screen of 1280 pixels leaves 320 CSS pixels (WCAG 1.4.10).
var modes = []showAs{
	{"ipad", 1024, 768, true, nil},
	{"zoom-200", 640, 512, false, nil},
	{"zoom-400", 320, 256, false, nil},
	{"forced-dark", 1280, 800, false, []*emulation.MediaFeature{
		{Name: "forced-colors", Value: "active"}, {Name: "prefers-color-scheme", Value: "dark"}}},
	{"forced-light", 1280, 800, false, []*emulation.MediaFeature{
		{Name: "forced-colors", Value: "active"}, {Name: "prefers-color-scheme", Value: "light"}}},
	{"reduced-motion", 1280, 800, false, []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}},
}

// steps returns what makes a tab show the page so, with the User-Agent of a Mac.
func (s showAs) steps() []step {
	return []step{
		browser.Command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: s.width, Height: s.height, DeviceScaleFactor: 1, Mobile: s.touch}),
		browser.Command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: s.touch}),
		browser.Command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agentMac}),
		browser.Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: s.features}),
	}
}
