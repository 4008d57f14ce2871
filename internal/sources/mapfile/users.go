package mapfile

import (
	"errors"
	"io"
	"strings"
)

// maxUser bounds the first field of a line. No address is longer in any spelling.
const maxUser = 1024

// users yields the first field of each line, which is the user name, as Dovecot's
// passwd-file and docker-mailserver's postfix-accounts.cf have it. The rest holds a
// password hash: it is neither kept nor looked at, and the buffer is emptied in the end.
func users(r io.Reader, separators string, yield func(user string, line int)) error {
	buffer := make([]byte, 32<<10)
	defer clear(buffer)
	var field [maxUser]byte
	length, done, line := 0, false, 1
	end := func() {
		user := strings.TrimRight(string(field[:length]), blanks)
		if user != "" && user[0] != '#' && length < maxUser {
			yield(user, line)
		}
		length, done = 0, false
	}
	for {
		n, err := r.Read(buffer)
		for _, c := range buffer[:n] {
			switch {
			case c == '\n':
				end()
				line++
			case done || length == maxUser:
			case strings.IndexByte(separators, c) >= 0:
				done = true
			default:
				field[length] = c
				length++
			}
		}
		if errors.Is(err, io.EOF) {
			end()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// words yields the words of a list of domains as Postfix reads one (match_list in
// postconf(5)): blanks and commas separate them. A # ends the line, as in our own files.
func words(text string, yield func(word string, line int)) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		for word := range strings.FieldsFuncSeq(line,
			func(r rune) bool { return strings.ContainsRune(blanks+",", r) }) {
			yield(word, number)
		}
	}
}
