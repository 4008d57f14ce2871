package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const operating = "../../docs/operating.md"

// rows returns the table rows below a heading. A cell is a list: its whole text, then
// each word in backquotes.
func rows(t *testing.T, heading string) [][][]string {
	t.Helper()
	text, err := os.ReadFile(operating)
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no section %s", operating, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	var all [][][]string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		var row [][]string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			words := []string{strings.TrimSpace(cell)}
			for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
				words = append(words, match[1])
			}
			row = append(row, words)
		}
		all = append(all, row)
	}
	return all
}

// sample matches a line of /metrics with a value.
var sample = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? `)

// exposed lists the metrics in the text of /metrics in the form of the table: name,
// type and labels.
func exposed(t *testing.T, text string) []string {
	t.Helper()
	types, labels := map[string]string{}, map[string][]string{}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(rest), " ")
			types[name] = kind
			continue
		}
		match := sample.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		name := match[1]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && types[base] == "histogram" {
				name = base
			}
		}
		for pair := range strings.SplitSeq(match[2], ",") {
			label, _, _ := strings.Cut(pair, "=")
			if label != "" && label != "le" && !slices.Contains(labels[name], label) {
				labels[name] = append(labels[name], label)
			}
		}
	}
	var all []string
	for name, kind := range types {
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue
		}
		slices.Sort(labels[name])
		all = append(all, fmt.Sprintf("%s %s %v", name, kind, labels[name]))
	}
	slices.Sort(all)
	return all
}

// TestDocumentedMetrics compares the table of metrics with /metrics.
func TestDocumentedMetrics(t *testing.T) {
	folder := prepare(t, withTLS+"\naccounts: [{passwd: {file: users}}]")
	put(t, folder, "users", "anna@store.example:*\n")
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	_, text := r.admin(t, "/metrics")
	for range 50 {
		if strings.Contains(text, "signpost_source_list_age_seconds{") {
			break
		}
		time.Sleep(20 * time.Millisecond) // the first list is being read
		_, text = r.admin(t, "/metrics")
	}
	var documented []string
	for _, row := range rows(t, "Metrics") {
		if name := row[0][1]; !strings.HasSuffix(name, "*") {
			labels := slices.Clone(row[2][1:])
			slices.Sort(labels)
			documented = append(documented, fmt.Sprintf("%s %s %v", name, row[1][0], labels))
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(exposed(t, text), documented); diff != "" {
		t.Errorf("metrics (-exposed +documented):\n%s", diff)
	}
	for _, metric := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(text, "\n"+metric+" ") {
			t.Errorf("/metrics has no %s", metric)
		}
	}
	document, err := os.ReadFile(operating)
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]bool{}
	label := regexp.MustCompile(`(?:dialect|outcome|state|result|listener|what|reason)="([^"]*)"`)
	for _, match := range label.FindAllStringSubmatch(text, -1) {
		if !checked[match[0]] && !bytes.Contains(document, []byte("`"+match[1]+"`")) {
			t.Errorf("%s does not explain the label %s", operating, match[0])
		}
		checked[match[0]] = true
	}
	checkDashboard(t, text)
}

// checkDashboard checks that the dashboard uses metrics and labels that exist.
func checkDashboard(t *testing.T, metrics string) {
	t.Helper()
	text, err := os.ReadFile("../../packaging/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	used, ids := 0, map[int]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] || panel.Title == "" {
			t.Errorf("panel %d %q has no title, or another panel has its number", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		if len(panel.Targets) == 0 && panel.Type != "row" {
			t.Errorf("the panel %q has no targets", panel.Title)
		}
		for _, target := range panel.Targets {
			names := regexp.MustCompile(`\b(signpost|go|process)_[a-z_]+`).FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("panel %q: %s names no metric", panel.Title, target.Expr)
			}
			for _, name := range names {
				used++
				if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(metrics) {
					t.Errorf("panel %q: there is no metric %s", panel.Title, name)
				}
			}
			selectors := regexp.MustCompile(`([a-z]+)=~?"([^"$]*)"`)
			for _, match := range selectors.FindAllStringSubmatch(target.Expr, -1) {
				for value := range strings.SplitSeq(match[2], "|") {
					if !strings.Contains(metrics, match[1]+`="`+value+`"`) {
						t.Errorf("panel %q: no metric has the label %s=%q", panel.Title, match[1], value)
					}
				}
			}
			for _, match := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(target.Expr, -1) {
				for label := range strings.SplitSeq(match[1], ",") {
					label = strings.TrimSpace(label)
					if label != "le" && label != "instance" && !strings.Contains(metrics, label+`="`) {
						t.Errorf("panel %q: no metric has the label %s", panel.Title, label)
					}
				}
			}
		}
	}
	if used < 12 {
		t.Errorf("the dashboard uses %d metrics, want at least 12", used)
	}
}

// logged holds the messages and fields that the source writes to the log.
type logged struct{ messages, fields map[string]bool }

// read adds those of the package in a directory.
func (s logged) read(t *testing.T, folder string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		p, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		constants := map[string]ast.Expr{}
		ast.Inspect(p, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i := range min(len(v.Names), len(v.Values)) {
					constants[v.Names[i].Name] = v.Values[i]
				}
			}
			return true
		})
		literal := func(e ast.Expr) (string, bool) {
			if name, ok := e.(*ast.Ident); ok && constants[name.Name] != nil {
				e = constants[name.Name]
			}
			if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
				text, err := strconv.Unquote(l.Value)
				return text, err == nil
			}
			return "", false
		}
		pairs := func(args []ast.Expr) {
			for i := 0; i+1 < len(args); i += 2 {
				if key, ok := literal(args[i]); ok {
					s.fields[key] = true
				}
			}
		}
		ast.Inspect(p, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if list, ok := n.Type.(*ast.ArrayType); ok && fmt.Sprint(list.Elt) == "any" {
					pairs(n.Elts)
				}
			case *ast.CallExpr:
				if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "append" && fmt.Sprint(n.Args[0]) == "attrs" {
					pairs(n.Args[1:])
				}
				function, ok := n.Fun.(*ast.SelectorExpr)
				if !ok {
					break
				}
				receiver, _ := function.X.(*ast.Ident)
				switch function.Sel.Name {
				case "Info", "Warn", "Error", "Debug", "LogAttrs", "warn", "logListeners":
					if receiver != nil && receiver.Name == "http" {
						break
					}
					for i, arg := range n.Args[:min(3, len(n.Args))] {
						if message, ok := literal(arg); ok {
							s.messages[message] = true
							rest := n.Args[i+1:]
							if function.Sel.Name == "logListeners" {
								rest = rest[1:] // the listeners
							}
							pairs(rest)
							break
						}
					}
				case "String", "Int", "Int64", "Duration", "Bool", "Any", "Time":
					if receiver != nil && receiver.Name == "slog" {
						if key, ok := literal(n.Args[0]); ok {
							s.fields[key] = true
						}
					}
				}
			}
			return true
		})
	}
}

// loggingPackages returns the directories of the packages that import log/slog.
// Package config does so for the levels only, and its warn is another.
func loggingPackages(t *testing.T) []string {
	t.Helper()
	format := `{{$dir := .Dir}}{{range .Imports}}{{if eq . "log/slog"}}{{$dir}}{{"\n"}}{{end}}{{end}}`
	out, err := exec.Command("go", "list", "-f", format, "signpost/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(folder string) bool {
		return filepath.Base(folder) == "config"
	})
}

// TestDocumentedLog compares the tables of messages and fields with the source.
func TestDocumentedLog(t *testing.T) {
	s := logged{map[string]bool{}, map[string]bool{"time": true, "level": true, "msg": true}}
	for _, folder := range loggingPackages(t) {
		s.read(t, folder)
	}
	messages, fields := map[string]bool{}, map[string]bool{}
	for _, row := range rows(t, "Log") {
		if len(row) == 3 {
			messages[row[0][1]] = true
			continue
		}
		for _, field := range row[0][1:] {
			fields[field] = true
		}
	}
	if diff := cmp.Diff(sorted(s.messages), sorted(messages)); diff != "" {
		t.Errorf("messages (-written +documented):\n%s", diff)
	}
	if diff := cmp.Diff(sorted(s.fields), sorted(fields)); diff != "" {
		t.Errorf("fields (-written +documented):\n%s", diff)
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// TestLogLines checks the log of a running service: every line is JSON with documented
// messages and fields, and a request has exactly the fields that it should.
func TestLogLines(t *testing.T) {
	folder := prepare(t, "log: {format: json}")
	r := startServeJSON(t, folder)
	askOnce(t, r.address, thunderbird("domain.se"))
	withID := func(domain, id string) string {
		return strings.Replace(thunderbird(domain), "\r\n\r\n", "\r\nX-Request-Id: "+id+"\r\n\r\n", 1)
	}
	askOnce(t, r.address, withID("unknown.example", "0123456789abcdef-00"))
	askOnce(t, r.address, withID("domain.se", "veryprivate"))
	r.stop(t)
	var requests []map[string]any
	documented := map[string]bool{}
	for _, row := range rows(t, "Log") {
		for _, word := range row[0][1:] {
			documented[word] = true
		}
	}
	for line := range strings.Lines(r.stderr.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("the log line is not JSON: %s", line)
			continue
		}
		if !documented[fmt.Sprint(fields["msg"])] {
			t.Errorf("message %q is not documented", fields["msg"])
		}
		for field := range fields {
			if !documented[field] {
				t.Errorf("field %q is not documented", field)
			}
		}
		if fields["msg"] == "request" {
			requests = append(requests, fields)
		}
	}
	if len(requests) != 3 {
		t.Fatalf("the log has %d requests, want 3:\n%s", len(requests), r.stderr)
	}
	ordinary := []string{"dialect", "domain", "id", "level", "method", "msg", "outcome", "status", "time", "took"}
	if got := slices.Sorted(maps.Keys(requests[0])); !slices.Equal(got, ordinary) {
		t.Errorf("the fields of a request are %v, want %v", got, ordinary)
	}
	if requests[1]["id"] != "0123456789abcdef-00" || requests[1]["outcome"] != "unknown" ||
		requests[1]["error"] == nil {
		t.Errorf("the request for an unknown domain is logged as %v, want its X-Request-Id, outcome unknown and an error",
			requests[1])
	}
	if id := fmt.Sprint(requests[2]["id"]); len(id) != 16 || id == requests[0]["id"] {
		t.Errorf("the request with a bad X-Request-Id has the id %s, want a new one of 16 digits, not %s",
			id, requests[0]["id"])
	}
}

// startServeJSON is startServe for a service whose log is JSON.
func startServeJSON(t *testing.T, folder string) *running {
	t.Helper()
	text := listening
	listening = regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`)
	defer func() { listening = text }()
	return startServe(t, folder, nil)
}
