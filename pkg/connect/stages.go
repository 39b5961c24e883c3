package connect

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"regexp"
)

// nonces are two random texts that no command prints by chance.
type nonces struct{ prompt, begun string }

func newNonces() nonces {
	one, two := make([]byte, 12), make([]byte, 12)
	_, _ = rand.Read(one) // never fails (crypto/rand)
	_, _ = rand.Read(two)
	return nonces{"[patchring " + hex.EncodeToString(one) + "]", "[begun " + hex.EncodeToString(two) + "]"}
}

// stage is how far sudo or su came, as its stderr tells.
type stage uint8

const (
	stageWaiting stage = iota // nothing known yet
	stageAsked                // it wants the password
	stageAgain                // it wants it once more: the first was wrong
	stageBegun                // the command runs; standard input is its own now
)

// stages finds them in a stream. It is pure: bytes in, stage out.
type stages struct {
	prompt, begun string
	guess         bool // su's prompt can't be chosen: anything like "Password:" is one
	head          []byte
	asked         int
	at            stage
}

// maxHead bounds what is kept of the lecture before the command begins.
const maxHead = 16 << 10

// suPrompt is util-linux's and shadow's, under LC_ALL=C.
var suPrompt = regexp.MustCompile(`(?i)password: ?$`)

// feed takes more of stderr. It returns what belongs to the command itself.
func (s *stages) feed(p []byte) []byte {
	if s.at == stageBegun {
		return p
	}
	s.head = append(s.head, p...)
	if i := bytes.Index(s.head, []byte(s.begun)); i >= 0 {
		rest := s.head[i+len(s.begun):]
		s.head, s.at = s.head[:i], stageBegun
		return rest
	}
	s.count()
	if over := len(s.head) - maxHead; over > 0 {
		s.head = s.head[over:]
	}
	return nil
}

// count looks for prompts; each found is blanked so that it counts once. What stands
// around it stays apart: it must not make up a mark of its own.
func (s *stages) count() {
	if s.guess {
		if loc := suPrompt.FindIndex(s.head); loc != nil {
			s.asked++
			s.head = append(s.head, '\n')
		}
	} else {
		s.asked += bytes.Count(s.head, []byte(s.prompt))
		s.head = bytes.ReplaceAll(s.head, []byte(s.prompt), []byte{'\n'})
	}
	switch {
	case s.asked > 1:
		s.at = stageAgain
	case s.asked == 1:
		s.at = stageAsked
	}
}
