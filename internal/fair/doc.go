// Package fair shares a limited number of places, such as those for DNS questions
// under way, among callers of whom some may be hostile.
//
// Each client block and each other key has a share of the places. What comes beyond it
// waits, behind everybody who has fewer places, and is refused only when as many wait as
// the share allows: an honest crowd behind one address is served in its turn, and keeps
// no place from others. A Group also asks the same question only once at a time, and
// drops one that has not begun when nobody waits for it any more.
package fair
