package records

import (
	"context"
	"iter"
	"sync"
)

// Parallel calls work for many items, atOnce of them at a time, and yields the
// results in the order of the items. It holds a limited number of results. The
// items are taken in another goroutine. Breaking off the loop cancels the context
// of the calls, and so does the end of ctx, after which the results stop.
func Parallel[T, R any](
	ctx context.Context, items iter.Seq[T], atOnce int, work func(context.Context, T) R,
) iter.Seq[R] {
	return func(yield func(R) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()

		slots := make(chan struct{}, atOnce)
		// The queue is longer than the number of workers, so that one slow item
		// at its head does not stop the others.
		queue := make(chan chan R, 8*atOnce)
		workers.Go(func() {
			defer close(queue)
			for item := range items {
				result := make(chan R, 1)
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				workers.Go(func() {
					result <- work(ctx, item)
					<-slots
				})
				select {
				case queue <- result:
				case <-ctx.Done():
					return
				}
			}
		})
		for result := range queue {
			if !yield(<-result) {
				return
			}
		}
	}
}
