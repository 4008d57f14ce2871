package config

// kind is what a node of the file is.
type kind int

const (
	nothing kind = iota // "key:" with no value
	scalar
	list
	mapping
	broken // it has had its fault already; nothing more is said of it
)

// node is a value as it stands in the file, before anybody knows what it is
// for. It is all that the rest of the package sees of YAML.
type node struct {
	kind  kind
	line  int
	text  string // of a scalar
	items []node // of a list; of a mapping key, value, key, value …

	// partial is a mapping of which something could not be taken over, so that
	// nobody can say what it lacks.
	partial bool
}
