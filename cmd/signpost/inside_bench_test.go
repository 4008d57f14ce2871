package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// These benchmarks run the service, the bare handler and the client in one process,
// as most benchmarks of handlers do. There is no switch between processes, which
// costs a larger program more than a smaller one. The CPU times are those of server
// and client together.

func BenchmarkGETInside(b *testing.B)  { compareInside(b, thunderbirdGET) }
func BenchmarkPOSTInside(b *testing.B) { compareInside(b, outlookPOST()) }

func compareInside(b *testing.B, request string) {
	signpost := serveInside(b, allSystems(b))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: bareHandler(answerOf(b, signpost.address, request))}
	go server.Serve(listener)
	b.Cleanup(func() { server.Close() })
	bare := &process{pid: os.Getpid(), address: listener.Addr().String()}
	mustAgree(b, signpost, bare, request)
	theirs, ours, ratio := alternate(b, []*process{bare}, []*process{signpost}, request)

	b.ReportMetric(0, "ns/op") // meaningless: a run is one comparison
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(ours.cpuEach()/theirs.cpuEach(), "cpu-ratio")
	b.ReportMetric(ours.cpuEach(), "cpu-µs/req")
	b.ReportMetric(ours.perSecond(), "req/s")
}

// serveInside runs "signpost serve" in this process.
func serveInside(b *testing.B, file string) *process {
	b.Helper()
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, env{stdout: log, stderr: log}, []string{"-config", file}) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		log.Close()
	})
	return &process{pid: os.Getpid(), address: addressIn(b, log.Name(), listening, ended)}
}
