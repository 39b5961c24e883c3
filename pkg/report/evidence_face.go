package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/evidence"
)

// partsThat names the parts that stand like this, and are demanded or broken.
func partsThat(v evidence.Verdict, standings ...evidence.Standing) string {
	var names []string
	for _, p := range v.Parts {
		if slices.Contains(standings, p.Standing) && (p.Demanded || p.Standing == evidence.Broken) {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (d Evidence) face(brief bool) face {
	b := d.Bundle
	f := face{
		title: "Evidence of rollout " + orElse(b.Rollout, "(unknown)") + ": " + d.Standing,
		lines: []pair{
			{"Playbook", text(b.Playbook + " (site " + b.Site + ")")},
			{"State", d.state()},
			{"Journal", text(strconv.Itoa(b.Records) + " records, the last " + stamp(b.Changed))},
			{"Digests", text("plan " + shortDigest(b.Plan) + ", playbook " + shortDigest(b.Source) + ", inventory " + orElse(shortDigest(b.Inventory), "not named"))},
			{"Signed by", text(orElse(b.Signer, "nobody"))},
			{"Demanded", text(orElse(strings.Join(b.Demanded, ", "), "no signatures by the site's rules"))},
			{"Made by", text("patchring " + b.Tool)},
		},
	}
	if b.Rollout == "" { // the manifest could not be read: it says nothing
		f.lines = nil
	}
	s := sheet{columns: []column{{head: "PART", whole: true}, {head: "STANDS", whole: true}, {head: "WHY", least: 20, prose: true}}}
	for _, p := range d.Parts {
		if brief && p.Standing == evidence.Proven.String() {
			continue
		}
		s.rows = append(s.rows, []cell{text(p.Part), standingWord(p), text(strings.Join(p.Why, "; "))})
	}
	f.sheets = []sheet{s}
	if len(d.Limits) > 0 && !brief {
		f.foot = append([]string{"What this can't prove, or not alone:"}, bulleted(d.Limits)...)
	}
	return f
}

func bulleted(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = "- " + s
	}
	return out
}

// state says in capitals what an auditor must not overlook.
func (d Evidence) state() cell {
	if d.Bundle.Finished {
		return word(d.Bundle.Phase)
	}
	return cell{"? NOT FINISHED (" + clean(d.Bundle.Phase) + ") when the bundle was made", warn}
}

func standingWord(p EvidencePart) cell {
	switch p.Standing {
	case evidence.Proven.String():
		return cell{"+ proven", good}
	case evidence.NotProven.String():
		return cell{"? not proven", warn}
	case evidence.Absent.String():
		if p.Demanded {
			return cell{"? absent", warn}
		}
		return cell{"- absent", faint}
	}
	return cell{"x broken", bad}
}

func (d Evidence) records() records {
	r := records{head: []string{"rollout", "part", "standing", "demanded", "why"}}
	for _, p := range d.Parts {
		r.rows = append(r.rows, []string{d.Bundle.Rollout, p.Part, p.Standing, yesNo(p.Demanded), strings.Join(p.Why, "; ")})
	}
	return r
}
