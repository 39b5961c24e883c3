package view

import (
	"os"

	"golang.org/x/term"
)

// Screen is what is known of where output goes.
type Screen struct {
	Terminal bool // a person's terminal that can move its cursor
	Colour   bool
	Size     func() (width, height int) // 0, 0 where it can't be told
}

// ScreenOf looks at a file and the environment: TERM=dumb has no live view, and
// NO_COLOR with any value but the empty one has no colour (https://no-color.org).
func ScreenOf(f *os.File, getenv func(string) string) Screen {
	s := Screen{Size: func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return width, height
	}}
	s.Terminal = term.IsTerminal(int(f.Fd())) && getenv("TERM") != "dumb" && getenv("TERM") != ""
	s.Colour = s.Terminal && getenv("NO_COLOR") == ""
	return s
}
