package server

// WithExchange is what a connection's context is given.
var WithExchange = withExchange
