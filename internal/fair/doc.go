// Package fair shares a limited number of places, such as those for DNS questions
// under way, among callers of whom some may be hostile.
//
// Each client block and each other key has a share of the places, those who wait for
// one included; what comes beyond it is refused at once and costs next to nothing. A
// Group also asks the same question only once at a time, and drops one that has not
// begun when nobody waits for it any more.
package fair
