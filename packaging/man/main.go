// Man writes the manual pages signpost(1) and signpost.yaml(5) from what the
// program and the configuration say of themselves: each command's own help, and
// the table of keys that documents package config. What no other file says
// stands in this package.
//
//	go run ./packaging/man -program signpost -date 2026-11-21 FOLDER
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func main() {
	program := flag.String("program", "signpost", "the `PROGRAM` whose help is printed")
	source := flag.String("source", ".", "the `FOLDER` of the module")
	date := flag.String("date", time.Now().UTC().Format(time.DateOnly), "the `DAY` of the pages")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "man: name one folder for the pages")
		os.Exit(2)
	}
	if err := write(*program, *source, *date, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

func write(program, source, date, folder string) error {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return err
	}
	help := func(args ...string) (string, error) {
		out, err := exec.Command(program, args...).Output()
		if err != nil {
			return "", fmt.Errorf("%s %q: %w", program, args, err)
		}
		return string(out), nil
	}
	command, err := commandPage(help, day)
	if err != nil {
		return err
	}
	file, err := filePage(source, day)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"signpost.1": command, "signpost.yaml.5": file} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
