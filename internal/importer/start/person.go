package start

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

var (
	errNobody      = errors.New("there is nobody to ask")
	errInterrupted = errors.New("interrupted")
)

// Person answers questions at a terminal.
type Person struct {
	In  io.Reader
	Out io.Writer
	in  *bufio.Reader
}

type line struct {
	text string
	err  error
}

// ask asks a question until the answer is good. An empty answer is the default. Of a nil Person,
// the error is errNobody.
func (p *Person) ask(ctx context.Context, question, found string, take func(answer string) error) (string, error) {
	if p == nil {
		return "", errNobody
	}
	for {
		if p.in != nil {
			fmt.Fprintln(p.Out)
		}
		if found == "" {
			fmt.Fprintf(p.Out, "%s: ", question)
		} else {
			fmt.Fprintf(p.Out, "%s\n[%s]: ", question, found)
		}
		answer, err := p.line(ctx)
		if err != nil {
			fmt.Fprintln(p.Out)
			return "", err
		}
		if answer = strings.TrimSpace(answer); answer == "" {
			answer = found
		}
		if err = take(answer); err == nil {
			return answer, nil
		}
		fmt.Fprintf(p.Out, "%v\n", err)
	}
}

// line reads a line, until the context ends. The read itself cannot be broken off; nobody asks
// another question then.
func (p *Person) line(ctx context.Context) (string, error) {
	if p.in == nil {
		p.in = bufio.NewReader(p.In)
	}
	read := make(chan line, 1)
	go func() {
		text, err := p.in.ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		if l.text == "" && errors.Is(l.err, io.EOF) {
			return "", errInterrupted
		}
		if errors.Is(l.err, io.EOF) {
			l.err = nil
		}
		return l.text, l.err
	case <-ctx.Done():
		return "", errInterrupted
	}
}

// columns writes words in lines of at most 76 characters with an indentation.
func columns(words []string, indent int) string {
	const most = 12
	if len(words) > most {
		words = append(append([]string(nil), words[:most]...), fmt.Sprintf("and %d more", len(words)-most))
	}
	var b strings.Builder
	width := 0
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		if width == 0 || width+1+len(word) > 76 {
			if width > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(strings.Repeat(" ", indent))
			width = indent
		} else {
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String()
}
