package finding

import "signpost/autoconfig"

func digest(document string) string { return autoconfig.Digest([]byte(document)) }
