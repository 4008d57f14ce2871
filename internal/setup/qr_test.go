package setup

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"
)

// TestQRCode checks that the path draws exactly the black modules of the code, with
// the quiet zone around them.
func TestQRCode(t *testing.T) {
	for _, url := range []string{"https://a.example/", "https://setup.example.com/" + strings.Repeat("x", maxCode-26)} {
		want, err := qr.Encode(url, qr.M)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := qrCode(url)
		if !ok || got.Size != want.Size+8 {
			t.Fatalf("qrCode(%q) has size %d, %v, want %d", url, got.Size, ok, want.Size+8)
		}
		black := map[string]bool{}
		x, y := 0, 0
		for _, command := range regexp.MustCompile(`([Mmh])(-?\d+)(?: (\d+))?(?:\.5)?`).FindAllStringSubmatch(got.Path, -1) {
			n, _ := strconv.Atoi(command[2])
			switch command[1] {
			case "M":
				x = n
				y, _ = strconv.Atoi(command[3])
			case "m":
				x += n
			case "h":
				for range n {
					black[fmt.Sprint(x, y)] = true
					x++
				}
			}
		}
		for y := range got.Size {
			for x := range got.Size {
				if black[fmt.Sprint(x, y)] != want.Black(x-4, y-4) {
					t.Fatalf("qrCode(%q): module (%d, %d) is black: %v", url, x, y, black[fmt.Sprint(x, y)])
				}
			}
		}
	}
	if _, ok := qrCode(strings.Repeat("x", maxCode+1)); ok {
		t.Errorf("qrCode makes a code of a URL of %d bytes, too fine for a camera", maxCode+1)
	}
}
