package connect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// query is one question to ssh_config: what a person would type after ssh.
type query struct {
	name    string // Host patterns are held against this
	address string // where the inventory says: wins over HostName
	user    string // -l
	port    string // -p
	master  bool   // ControlPath is wanted: some of its tokens only ssh itself knows
}

// keywords are those that patchring uses; true: where or as whom we connect hangs on it.
func keywords(key string) (used, decides bool) {
	switch key {
	case "hostname", "port", "user", "proxyjump", "proxycommand", "hostkeyalias", "canonicalizehostname", "canonicalizepermittedcnames":
		return true, true
	case "identityfile", "certificatefile", "identitiesonly", "identityagent", "controlpath", "hashknownhosts":
		return true, false
	}
	return false, false
}

// doubt is a part of ssh_config that can't be judged here.
type doubt struct {
	where, said string
	decides     bool // it could change where or as whom to connect
	deaf        bool // ssh -G would not tell either
}

func (d doubt) text() string { return fmt.Sprintf("%s: %s: not understood, skipped", d.where, d.said) }

// value is what a statement sets, and where.
type value struct{ text, where string }

// reading is what the statements say for one query: the first value of each
// keyword, as OpenSSH has it, all of those that add up, and what stayed in doubt.
type reading struct {
	first  map[string]value
	many   map[string][]value // identityfile, certificatefile
	doubts []doubt
	told   bool     // by ssh: its tokens are expanded, but for those of keys and certificates
	shapes []string // of the lines that set something, and of the blocks around them
}

// reader goes over the statements as OpenSSH's readconf.c does.
type reader struct {
	reading
	q     query
	me    person
	final bool // the second pass, which Match final asks for
	again bool
	block statement // the Host or Match line around
}

// consult evaluates the statements for one query.
func consult(statements []statement, q query, me person) reading {
	r := &reader{q: q, me: me, reading: reading{first: map[string]value{}, many: map[string][]value{}}}
	r.preset("hostname", strings.ReplaceAll(q.address, "%", "%%"))
	r.preset("user", q.user)
	r.preset("port", q.port)
	r.run(statements, applies, applies)
	if r.again {
		r.final = true
		r.preset("hostname", strings.ReplaceAll(r.target(), "%", "%%")) // HostName counts in the first pass alone
		r.run(statements, applies, applies)
	}
	return r.reading
}

// preset is what the command line says: it comes before any file.
func (r *reader) preset(key, text string) {
	if text != "" && !r.isSet(key) {
		r.first[key] = value{text: text}
	}
}

// run evaluates one file. Limit is whether the block that includes it applies.
func (r *reader) run(statements []statement, active, limit verdict) {
	for _, st := range statements {
		switch st.key {
		case "host":
			active, r.block = limit.and(hostLine(st.words, r.hostname())), st
		case "match":
			active, r.block = limit.and(r.match(st)), st
		case oddKey: // a setting, or the end of the block
			if active != differs {
				r.doubt(st, st.rest, true)
			}
			active, r.block = limit.and(untold), st
		case "include":
			r.include(st, active)
		default:
			r.apply(st, active)
		}
	}
}

// match judges a Match line. Whether a second pass follows must be known for all hosts.
func (r *reader) match(st statement) verdict {
	v, final := r.scene().matchLine(st.rest)
	r.again = r.again || final == applies
	if final == untold {
		r.doubt(st, blockText(st), true)
	}
	return v
}

func (r *reader) include(st statement, active verdict) {
	if st.words == nil && active != differs {
		r.doubt(st, "Include "+st.rest, true)
	}
	around := r.block
	for _, file := range st.files {
		r.run(file, active, active)
		r.block = around
	}
}

func (r *reader) scene() scene {
	s := scene{name: r.q.name, target: r.target(), user: r.me.name, me: r.me.name, final: r.final}
	if user, ok := r.first["user"]; ok {
		s.user = user.text
	}
	return s
}

// hostname is what Host lines are held against: what was typed, and in the second
// pass what became of it.
func (r *reader) hostname() string {
	if r.final {
		return r.target()
	}
	return r.q.name
}

// target is the host's name so far.
func (r *reader) target() string {
	name := r.q.name
	if set, ok := r.first["hostname"]; ok {
		name, _ = expand(set.text, map[byte]string{'h': r.q.name}, nil)
	}
	if r.final {
		return canonical(name)
	}
	return name
}

// apply takes a statement's value, unless an earlier one has set it.
func (r *reader) apply(st statement, active verdict) {
	if active == differs {
		return
	}
	used, decides := keywords(st.key)
	if !used || (r.isSet(st.key) && !r.afterNone(st)) {
		return
	}
	if active == untold {
		r.doubt(r.block, blockText(r.block), decides)
		return
	}
	text, ok := r.text(st)
	if !ok || r.afterNone(st) {
		r.doubt(st, st.key+" "+st.rest, decides)
		return
	}
	r.set(st, text)
}

// afterNone is a ProxyCommand below ProxyJump none: ssh 9.2 takes it, though by the
// manual the first of both counts.
func (r *reader) afterNone(st statement) bool {
	jump, said := r.first["proxyjump"]
	return st.key == "proxycommand" && said && none(jump.text) == "" && none(st.rest) != ""
}

// isSet tells whether the keyword's value is settled. ProxyJump and ProxyCommand
// shut each other out, whichever comes first; what adds up never is.
func (r *reader) isSet(key string) bool {
	if key == "proxyjump" || key == "proxycommand" {
		_, jump := r.first["proxyjump"]
		_, command := r.first["proxycommand"]
		return jump || command
	}
	_, set := r.first[key]
	return set
}

func (r *reader) set(st statement, text string) {
	r.shapes = append(r.shapes, shape(r.block)+" "+shape(st))
	v := value{text: text, where: st.where}
	if st.key != "identityfile" && st.key != "certificatefile" {
		r.first[st.key] = v
		return
	}
	same := func(have value) bool { return have.text == text }
	if !slices.ContainsFunc(r.many[st.key], same) {
		r.many[st.key] = append(r.many[st.key], v)
	}
}

// text is the statement's value as ssh understands it; false where that is not certain.
func (r *reader) text(st statement) (string, bool) {
	if len(st.words) != 1 && st.key != "proxycommand" && st.key != "canonicalizepermittedcnames" {
		return "", false
	}
	switch st.key {
	case "proxycommand":
		return st.rest, st.rest != ""
	case "proxyjump":
		return st.rest, !strings.ContainsAny(st.rest, " \t\"'\\#%$")
	case "canonicalizehostname":
		return "no", isNo(st.words[0])
	case "canonicalizepermittedcnames":
		return "none", st.rest == "none"
	case "port":
		port, err := strconv.ParseUint(st.words[0], 10, 16) // services' names are ssh's business
		return strconv.FormatUint(port, 10), err == nil && port > 0
	case "hostname":
		text, ok := expand(st.words[0], map[byte]string{'h': r.q.name}, nil)
		return st.words[0], ok && text != ""
	case "user", "hostkeyalias":
		return st.words[0], !strings.ContainsAny(st.words[0], "%$") && st.words[0] != ""
	case "identitiesonly", "hashknownhosts":
		return yesNo(st.words[0])
	}
	return st.words[0], st.words[0] != ""
}

func isNo(word string) bool { return strings.EqualFold(word, "no") || strings.EqualFold(word, "false") }

func yesNo(word string) (string, bool) {
	if strings.EqualFold(word, "yes") || strings.EqualFold(word, "true") {
		return "yes", true
	}
	return "no", isNo(word)
}

func (r *reader) doubt(at statement, said string, decides bool) {
	d := doubt{where: at.where, said: said, decides: decides}
	if !slices.Contains(r.doubts, d) {
		r.doubts = append(r.doubts, d)
	}
}

// shape is what reading a line right hangs on: its keyword, its criteria, and the
// characters that have a meaning of their own.
func shape(st statement) string {
	special := func(c rune) rune {
		if strings.ContainsRune("\"'\\%$#=!*?,@:[", c) {
			return c
		}
		return -1
	}
	parts := []string{st.key, strings.Map(special, st.rest)}
	if words, _ := criteria(st.rest); st.key == "match" {
		for i := 0; i < len(words); i += 2 {
			parts = append(parts, words[i])
		}
	}
	return strings.Join(parts, " ")
}

func blockText(st statement) string {
	switch st.key {
	case "host", "match":
		return strings.ToUpper(st.key[:1]) + st.key[1:] + " " + st.rest
	}
	return st.rest
}
