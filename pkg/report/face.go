package report

// face is what a person sees of a document, before it is a table or Markdown.
type face struct {
	title  string
	lines  []pair
	sheets []sheet
	drawn  []string // lines whose blanks matter, such as a tree; cut, never wrapped
	foot   []string // sentences
}

// pair is one line at the top: what it is, and its value.
type pair struct {
	label string
	value cell
}

// sheet is one table. A sheet without rows is not shown.
type sheet struct {
	title   string
	columns []column
	rows    [][]cell
	// group: a first cell that equals the one above it is left blank in the
	// terminal, so that the eye finds where a host begins.
	group bool
}

type column struct {
	head  string
	least int // columns of a terminal below which it is not squeezed while others can be
	right bool
	whole bool // a name: not broken into lines as long as anything else can be
	prose bool // sentences: as the last column, it moves below the table where it has no room
}

// cell is one text. The tone repeats in colour what the text says already.
type cell struct {
	text string
	tone tone
}

type tone uint8

const (
	plain tone = iota
	good
	bad
	warn
	faint
)

func text(s string) cell { return cell{text: clean(s)} }

func texts(all ...string) []cell {
	out := make([]cell, len(all))
	for i, s := range all {
		out[i] = text(s)
	}
	return out
}

// words are the states that any document shows, each with an ASCII sign that says
// the same, for those who see no colour and for grep.
func word(state string) cell {
	switch state {
	case "healthy", "pass", "passed", "ok", "installed", "open", "finished", "brought", "green":
		return cell{"+ " + state, good}
	case "failed", "fail", "halted", "aborted", "red":
		return cell{"x " + state, bad}
	case "unreachable":
		return cell{"! " + state, bad}
	case "waiting", "closed", "planned", "paused", "waived":
		return cell{". " + state, warn}
	case "working":
		return cell{"> " + state, warn}
	case "rollback", "rolled_back", "taken_back":
		return cell{"< " + state, warn}
	case "amber":
		return cell{"~ " + state, warn}
	case "nothing", "skipped", "left", "not_done":
		return cell{"- " + state, faint}
	case "", "unknown", "unconfirmed", "inconclusive":
		if state == "" {
			state = "unknown"
		}
		return cell{"? " + state, warn}
	}
	return cell{"? " + clean(state), warn}
}
