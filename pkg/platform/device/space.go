package device

import (
	"math"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

// SpaceQuery is one command that tells the room on one file system of one member.
type SpaceQuery struct {
	Cmd    string
	FS     string
	Member string // "" where the output itself names the members, or there is but one
	Space  Space
}

// SpaceQueries are the commands that tell the room for one kind of file system, in the
// order of preference: of those of one member, the first that answers without an error
// counts. A member's ID that may not stand in a command is an error.
func (p *Platform) SpaceQueries(s Space, members []fact.Member) ([]SpaceQuery, error) {
	var list []SpaceQuery
	for _, fs := range s.FS {
		ids := []string{""}
		if strings.Contains(fs, "{n}") {
			ids = idsOf(members)
		}
		for _, id := range ids {
			name, err := p.Fill(fs, Values{"n": id})
			if err != nil {
				return nil, err
			}
			cmd, err := p.Fill(s.Cmd, Values{"fs": name, "n": id})
			if err != nil {
				return nil, err
			}
			list = append(list, SpaceQuery{Cmd: cmd, FS: name, Member: id, Space: s})
		}
	}
	return list, nil
}

func idsOf(members []fact.Member) []string {
	var ids []string
	for _, m := range members {
		if m.ID != "" {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// ReadSpace reads what a query's command printed: a row for each member that it names.
func (p *Platform) ReadSpace(q SpaceQuery, out []byte) []fact.FreeSpace {
	var list []fact.FreeSpace
	for _, r := range p.rows(q.Space.Re, q.Space.Per, "id", tidy(out)) {
		bytes, ok := bytesOf(r)
		if !ok {
			continue
		}
		id := r["id"]
		if id == "" {
			id = q.Member
		}
		list = append(list, fact.FreeSpace{Member: id, Name: q.FS, Bytes: bytes})
	}
	return list
}

// bytesOf reads the group bytes, or amount with unit. Rounded units count as the smaller
// power: 1 G is a thousand million bytes, unless it says GiB.
func bytesOf(r row) (int64, bool) {
	number := strings.ReplaceAll(r["bytes"]+r["amount"], ",", "")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n < 0 || math.IsNaN(n) {
		return 0, false
	}
	factor := 1.0
	if r["bytes"] == "" {
		factor = unitOf(r["unit"])
	}
	if n *= factor; factor == 0 || n >= math.MaxInt64 {
		return 0, false
	}
	return int64(n), true
}

func unitOf(unit string) float64 {
	unit = strings.ToLower(strings.TrimSpace(unit))
	base, letter := 1000.0, strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(unit, "ytes"), "yte"), "b")
	if short, binary := strings.CutSuffix(letter, "i"); binary {
		base, letter = 1024, short
	}
	at := strings.Index("kmgtp", letter)
	switch {
	case letter == "":
		return 1
	case len(letter) != 1 || at < 0:
		return 0
	}
	return math.Pow(base, float64(at+1))
}

// digits is how many there are in a digest, by kind.
func digits(kind string) int {
	return map[string]int{"sha512": 128, "sha256": 64, "sha1": 40, "md5": 32}[kind]
}

// ReadHash reads a file's digest, in lower case, or its size. Two that differ, or one of
// the wrong length, are none.
func (p *Platform) ReadHash(h Hash, out []byte) (string, bool) {
	value := ""
	re := p.Re(h.Re)
	for _, m := range re.FindAllStringSubmatch(tidy(out), maxRows) {
		one := strings.ToLower(strings.TrimSpace(captured(re, m)))
		if value != "" && one != value {
			return "", false
		}
		value = one
	}
	if h.Kind == "size" {
		value = strings.ReplaceAll(value, ",", "")
		_, err := strconv.ParseInt(value, 10, 64)
		return value, err == nil
	}
	return value, len(value) == digits(h.Kind) && strings.Trim(value, "0123456789abcdef") == ""
}
