// Package probe defines the questions that a diagnosis asks the network, their answers,
// and the recording that holds both. It opens no connection itself: package network does.
//
// A question is a comparable value, and its answer depends on nothing else. So each is
// asked once, however many clients and findings want to know, and a recording can stand
// for the network in a test.
package probe
