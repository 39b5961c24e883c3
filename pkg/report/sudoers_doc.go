package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Rights is the document of `doctor --sudoers`: the smallest files that let patchring work.
type Rights struct {
	Header
	Exit  Ending     `json:"exit"`
	Files []RootFile `json:"files"`
	None  []NoFile   `json:"none"` // hosts that need none, or for which none can be told
}

// RootFile is one file, for all hosts that need the same.
type RootFile struct {
	Hosts    []string `json:"hosts"`
	User     string   `json:"user"`
	Means    string   `json:"means"` // sudo | doas
	Path     string   `json:"path"`  // where it belongs on the host
	Password bool     `json:"password"`
	Root     bool     `json:"root"`     // whoever logs in as the user is root there
	Needs    []string `json:"needs"`    // what for
	Narrower []string `json:"narrower"` // what would need less, and how
	Rules    string   `json:"rules"`    // the lines, without comments
}

// NoFile is a host without one.
type NoFile struct {
	Host string `json:"host"`
	Why  string `json:"why"`
	Stop bool   `json:"stop"` // it can't be worked on as the inventory has it
}

// NewRights builds the document. Files that say the same become one; they stand in the order
// of their first host.
func NewRights(files []RootFile, none []NoFile) Rights {
	doc := Rights{Header: header("rights"), Files: []RootFile{}, None: []NoFile{}}
	for _, f := range files {
		f = cleanRootFile(f)
		if at := slices.IndexFunc(doc.Files, f.same); at >= 0 {
			doc.Files[at].Hosts = append(doc.Files[at].Hosts, f.Hosts...)
		} else {
			doc.Files = append(doc.Files, f)
		}
	}
	var claims []claim
	for _, n := range none {
		n.Host, n.Why = clean(n.Host), clean(n.Why)
		doc.None = append(doc.None, n)
		if n.Stop {
			claims = append(claims, claim{ExitNeedsPerson, n.Host})
		}
	}
	doc.Exit = ending(gather(claims, "no rule can be told"), count(len(doc.Files), "file"))
	return doc
}

// cleanRootFile keeps the rules as they are: they have been made by a grammar.
func cleanRootFile(f RootFile) RootFile {
	f.Hosts, f.Needs, f.Narrower = cleanAll(f.Hosts), cleanAll(f.Needs), cleanAll(f.Narrower)
	f.User, f.Means, f.Path = clean(f.User), clean(f.Means), clean(f.Path)
	return f
}

func (f RootFile) same(o RootFile) bool {
	return f.User == o.User && f.Means == o.Means && f.Rules == o.Rules && slices.Equal(f.Needs, o.Needs) && slices.Equal(f.Narrower, o.Narrower)
}

// Text is all files as they can be put on the hosts; what is to be known is in comments.
func (d Rights) Text() string {
	var b strings.Builder
	for i, f := range d.Files {
		if i > 0 {
			b.WriteString("\n")
		}
		f.write(&b)
	}
	for _, n := range d.None {
		remark(&b, n.Host+": "+n.Why)
	}
	return b.String()
}

func (f RootFile) write(b *strings.Builder) {
	remark(b, f.Path+" on "+strings.Join(f.Hosts, ", ")+"; owner root, mode "+f.mode()+".")
	remark(b, "It is what "+f.User+" needs there for:")
	for _, need := range f.Needs {
		remark(b, "  - "+need)
	}
	remark(b, f.amounts())
	for _, hint := range f.Narrower {
		remark(b, hint)
	}
	b.WriteString(f.Rules)
}

func (f RootFile) mode() string {
	if f.Means == "doas" {
		return "0400; the last rule that fits decides"
	}
	return "0440; check it with visudo -cf FILE before it lies there"
}

// amounts says honestly what the file means.
func (f RootFile) amounts() string {
	if !f.Root {
		return "What it amounts to: " + f.User + " may run these commands as root, with these words and no others. They are as safe as" +
			" these programs are: they must not be writable for " + f.User + ", and must not trust what they are told in PATCHRING_*." + f.keeps()
	}
	text := "What it amounts to: whoever logs in as " + f.User + " is root there. A rule that lets a script or a shell run as root is root." +
		" A list of package managers would be no narrower: they run scripts that come with packages, and programs that their options name."
	if f.Password {
		return text + " Only the password stands between a stolen key of " + f.User + " and root."
	}
	text += " What narrows it is who can log in as " + f.User + ": a key of its own, bound to where patchring runs (from= in authorized_keys)"
	if f.Means == "sudo" {
		text += ", or a password that sudo asks for (credentials: {become: …})"
	}
	return text + "."
}

// keeps says what sudo can't narrow: variables are kept by program, whoever runs it.
func (f RootFile) keeps() string {
	if !strings.Contains(f.Rules, " env_keep ") {
		return ""
	}
	return " env_keep holds for the program, so for everybody who may run it with sudo on that host."
}

// remark writes a comment. A blank follows the sign: "#include" and "#1000" mean something
// to sudo. So does a backslash at the end of a line.
func remark(b *strings.Builder, text string) {
	const width = 98
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) >= width && strings.TrimSpace(line) != "" {
			fmt.Fprintf(b, "# %s\n", strings.TrimRight(line, ` \`))
			line = indent + cmp.Or(strings.Repeat(" ", min(len(indent), 2)), "")
		}
		if strings.TrimSpace(line) != "" {
			line += " "
		}
		line += word
	}
	fmt.Fprintf(b, "# %s\n", strings.TrimRight(line, ` \`))
}

func (d Rights) face(bool) face {
	s := sheet{columns: []column{{head: "HOST", whole: true}, {head: "USER", whole: true}, {head: "MEANS", whole: true}, {head: "ROOT"}, {head: "NEEDED FOR", least: 16, prose: true}}}
	for _, f := range d.Files {
		for _, h := range f.Hosts {
			s.rows = append(s.rows, texts(h, f.User, f.Means, yesNo(f.Root), strings.Join(f.Needs, "; ")))
		}
	}
	for _, n := range d.None {
		s.rows = append(s.rows, texts(n.Host, "", "", "no", n.Why))
	}
	out := face{title: count(len(d.Files), "file"), sheets: []sheet{s}}
	for _, f := range d.Files {
		for line := range strings.Lines(f.Rules) {
			out.drawn = append(out.drawn, strings.TrimRight(line, "\n"))
		}
	}
	return out
}
