package e2e

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"signpost/account"
	"signpost/internal/sources/rig"
)

// The benchmarks compare two services in one run: requests go to one and to the other in
// turn, in blocks, over a connection that stays open. They report
//
//	ratio    median time of a block, the second over the first
//	µs/req   of the second
//
// Times without the ratio mean nothing.

// block is the number of requests of a block.
const block = 20

// BenchmarkCached compares an account that a database has given before with one that
// stands in the configuration.
func BenchmarkCached(b *testing.B) {
	for _, address := range []string{"anna@example.com", "info@example.com"} {
		b.Run(address, func(b *testing.B) {
			list := serve(b, withDomains("example.com")+
				"accounts:\n  - list:\n      anna@example.com: {}\n      info@example.com: {alias: anna@example.com}\n")
			stored := serve(b, provider+source(rig.Load(b, "postfixadmin.pgsql")))
			stored.loaded(b)
			alternate(b, list.address, stored.address, func() string { return address })
		})
	}
}

// accountQuery is what the preset asks, with the driver's parameters.
const accountQuery = "SELECT username AS address, NULL AS alias, name AS displayName, NOT active AS inactive " +
	"FROM mailbox WHERE username = %s UNION ALL SELECT address, goto, NULL, NOT active FROM alias WHERE address = %s"

// BenchmarkUncached compares a mailbox that nobody has asked about before with a bare
// handler that asks the same database the same question by the same driver.
func BenchmarkUncached(b *testing.B) {
	for _, fixture := range []string{"postfixadmin.pgsql", "postfixadmin.mysql"} {
		b.Run(fixture, func(b *testing.B) {
			d := rig.Load(b, fixture)
			s := serve(b, provider+source(d))
			s.loaded(b)
			a, err := s.do(ways[0].request("anna@example.com", "example.com"))
			if err != nil {
				b.Fatal(err)
			}
			connect := barePostgreSQL
			if d.Server.Scheme == "mysql" {
				connect = bareMySQL
			}
			ask := connect(b, d)
			bare := serveBare(b, ask, a.body)
			n := 0
			alternate(b, bare, s.address, func() string { n++; return fmt.Sprintf("nobody%d@example.com", n) })
		})
	}
}

func barePostgreSQL(b *testing.B, d *rig.Database) func(ctx context.Context, address string) error {
	b.Helper()
	text := strings.Replace(d.URL, "@", ":"+rig.Password+"@", 1) + "?sslmode=disable"
	conn, err := pgconn.Connect(context.Background(), text)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close(context.Background()) })
	query := fmt.Sprintf(accountQuery, "$1", "$2")
	return func(ctx context.Context, address string) error {
		key := []byte(address)
		return conn.ExecParams(ctx, query, [][]byte{key, key}, nil, nil, nil).Read().Err
	}
}

func bareMySQL(b *testing.B, d *rig.Database) func(ctx context.Context, address string) error {
	b.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = d.User, rig.Password, d.Name
	config.Net, config.Addr = "tcp", d.Server.Address()
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	stmt, err := db.Prepare(fmt.Sprintf(accountQuery, "?", "?"))
	if err != nil {
		b.Fatal(err)
	}
	return func(ctx context.Context, address string) error {
		rows, err := stmt.QueryContext(ctx, address, address)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		return rows.Err()
	}
}

// serveBare serves one answer to everybody, after a question, and returns the address.
func serveBare(b *testing.B, ask func(ctx context.Context, address string) error, body []byte) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, _ := account.RawParameter(r.URL.RawQuery, "emailaddress")
		if err := ask(r.Context(), address); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write(body)
	})}
	go server.Serve(listener)
	b.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// alternate asks two servers in turn and reports the ratio.
func alternate(b *testing.B, first, second string, next func() string) {
	b.Helper()
	one, other := newConnection(b, first), newConnection(b, second)
	for range 20 {
		one.block(b, next)
		other.block(b, next)
	}
	var theirs, ours []time.Duration
	for start := time.Now(); len(ours) < 10 || time.Since(start) < time.Second; {
		theirs, ours = append(theirs, one.block(b, next)), append(ours, other.block(b, next))
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	median := quantile(ours, 0.5)
	b.ReportMetric(float64(median)/float64(quantile(theirs, 0.5)), "ratio")
	b.ReportMetric(float64(median.Nanoseconds())/1000/block, "µs/req")
	b.ReportMetric(0, "ns/op") // meaningless: a run is one comparison
}

// connection is a client that does as little as HTTP allows, so that the servers are
// measured and not the client.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func newConnection(b *testing.B, address string) *connection {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &connection{conn, bufio.NewReader(conn)}
}

// block sends a block of requests and returns its time.
func (c *connection) block(b *testing.B, next func() string) time.Duration {
	b.Helper()
	start := time.Now()
	for range block {
		fmt.Fprintf(c, "GET /mail/config-v1.1.xml?emailaddress=%s HTTP/1.1\r\nHost: autoconfig.example.com\r\n\r\n",
			next())
		if err := c.read(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// read reads an answer, which must have status 200 and a length.
func (c *connection) read() error {
	length := -1
	for first := true; ; first = false {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return err
		}
		if first && !strings.HasPrefix(line, "HTTP/1.1 200 ") {
			return fmt.Errorf("status line %q, want 200", line)
		}
		if text, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				return err
			}
		}
		if line == "\r\n" {
			break
		}
	}
	_, err := io.CopyN(io.Discard, c.in, int64(length))
	return err
}
