package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/platform/device"
)

// Identified is the document of `platforms identify`. Its version is the device's: what
// the document itself looks like, Format says.
type Identified struct {
	Kind       string   `json:"kind"`
	Format     int      `json:"format"`
	Platform   string   `json:"platform"` // "" where it can't be told, as all that follows
	Vendor     string   `json:"vendor"`
	Model      string   `json:"model"`
	Version    string   `json:"version"`
	Serial     string   `json:"serial"`
	Serials    []string `json:"serials"` // of all members, where there are several
	Hostname   string   `json:"hostname"`
	Confidence string   `json:"confidence"` // high | medium | low, or "" where the platform is not known
	Why        string   `json:"why"`
	Problems   []string `json:"problems"`
}

// NewIdentified builds the document.
func NewIdentified(f device.Finding) Identified {
	doc := Identified{
		Kind: "identified", Format: 1, Platform: string(f.Platform), Vendor: clean(f.Vendor), Model: clean(f.Model), Version: clean(f.Version),
		Serial: clean(f.Serial), Serials: cleanAll(f.Serials), Hostname: clean(f.Hostname), Confidence: string(f.Confidence), Why: clean(f.Why), Problems: []string{},
	}
	for _, p := range f.Problems {
		doc.Problems = append(doc.Problems, clean(p.What+": "+p.Detail))
	}
	return doc
}

// Samples is the document of `platforms test`.
type Samples struct {
	Header
	Samples []Sample `json:"samples"`
}

// Sample is one folder of recorded or made-up output, and what of it was read wrong.
type Sample struct {
	Platform string   `json:"platform"`
	Sample   string   `json:"sample"`
	Right    bool     `json:"right"`
	Wrong    []string `json:"wrong"`
}

// NewSamples builds the document.
func NewSamples(outcomes []device.Outcome) Samples {
	doc := Samples{Header: header("samples"), Samples: []Sample{}}
	for _, o := range outcomes {
		doc.Samples = append(doc.Samples, Sample{string(o.Platform), clean(o.Sample), len(o.Wrong) == 0, cleanAll(o.Wrong)})
	}
	return doc
}

func (d Samples) face(bool) face {
	right := 0
	s := sheet{columns: []column{{head: "PLATFORM", whole: true}, {head: "SAMPLE", least: 10}, {head: "READ"}, {head: "WRONG", least: 20, prose: true}}}
	for _, one := range d.Samples {
		read := cell{"- wrong", bad}
		if one.Right {
			right++
			read = cell{"+ right", good}
		}
		s.rows = append(s.rows, []cell{text(one.Platform), text(one.Sample), read, text(strings.Join(one.Wrong, "; "))})
	}
	return face{title: fmt.Sprintf("%d of %s read right", right, count(len(d.Samples), "sample")), sheets: []sheet{s}}
}

func (d Samples) records() records {
	r := records{head: []string{"platform", "sample", "right", "wrong"}}
	for _, one := range d.Samples {
		r.rows = append(r.rows, []string{one.Platform, one.Sample, yesNo(one.Right), strings.Join(one.Wrong, "; ")})
	}
	return r
}
