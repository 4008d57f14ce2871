package machine

import (
	"errors"

	"signpost/internal/importer/draft"
)

// Draft adds to the draft what the texts say. Files reads those that they name.
func Draft(texts []Text, files Files, d *draft.Draft) error {
	return errors.New("Postfix and Dovecot cannot be read yet")
}
