package service

import (
	"fmt"
	"slices"

	"signpost/internal/config"
	"signpost/internal/fault"
)

// fewDomains may disappear from a file at any time, so that a short list can be edited
// by hand, unless maxLoss is 0.
const fewDomains = 5

// lostDomains returns a fault for each file from which more domains have disappeared than
// its maxLoss allows. An export that is read while it is being written looks like that,
// and its customers would be told that their domain is unknown. A domain that has moved to
// another entry is not lost.
func lostDomains(earlier, now *Loaded) fault.List {
	var faults fault.List
	for _, file := range now.Config.DomainFiles {
		before := slices.IndexFunc(earlier.Config.DomainFiles,
			func(f config.DomainFile) bool { return f.Path == file.Path })
		if before < 0 {
			continue
		}
		domains, lost := earlier.Config.DomainFiles[before].Domains, 0
		for _, domain := range domains {
			if !now.Directory.Lists(domain) {
				lost++
			}
		}
		allowed := 0
		if file.MaxLoss > 0 {
			allowed = max(len(domains)*file.MaxLoss/100, fewDomains)
		}
		if lost > allowed {
			faults = append(faults, fault.Fault{File: file.Path, Text: fmt.Sprintf(
				"lost %d of %d domains, more than maxLoss allows (%d %%); if the file is complete, "+
					"raise maxLoss or restart the service", lost, len(domains), file.MaxLoss)})
		}
	}
	return faults
}
