package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/remote"
)

// sample is one value of an instant query.
type sample struct {
	labels map[string]string
	value  float64
}

// instant is Prometheus's answer to a query.
type instant struct {
	Status   string   `json:"status"`
	Error    string   `json:"error"`
	Warnings []string `json:"warnings"`
	Data     struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// point is [time, "value"].
type point [2]json.RawMessage

// readSamples reads the answer to an instant query: a vector or a scalar. A warning is an
// error here: it says that a part of the data may be missing.
func readSamples(body []byte) ([]sample, error) {
	var answer instant
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, errors.New("the answer is not Prometheus's: " + remote.Clean(err.Error(), saidBytes))
	}
	switch {
	case answer.Status != "success":
		return nil, errors.New("Prometheus says: " + remote.Clean(answer.Status+" "+answer.Error, saidBytes))
	case len(answer.Warnings) > 0:
		return nil, errors.New("Prometheus warns: " + remote.Clean(strings.Join(answer.Warnings, "; "), saidBytes))
	}
	switch answer.Data.ResultType {
	case "vector":
		return readVector(answer.Data.Result)
	case "scalar":
		var p *point
		if err := json.Unmarshal(answer.Data.Result, &p); err != nil || p == nil {
			return nil, errors.New("the scalar in the answer can't be read")
		}
		value, err := p.value()
		return []sample{{value: value}}, err
	}
	return nil, fmt.Errorf("the query gives a %q; only a vector or a scalar can be judged", remote.Clean(answer.Data.ResultType, 40))
}

func readVector(text []byte) ([]sample, error) {
	var vector []struct {
		Metric map[string]string `json:"metric"`
		Value  *point            `json:"value"`
	}
	if err := json.Unmarshal(text, &vector); err != nil {
		return nil, errors.New("the vector in the answer can't be read: " + remote.Clean(err.Error(), saidBytes))
	}
	samples := make([]sample, 0, len(vector))
	for _, v := range vector {
		if v.Value == nil {
			return nil, errors.New("the query gives histograms; only numbers can be judged")
		}
		value, err := v.Value.value()
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{v.Metric, value})
	}
	return samples, nil
}

func (p point) value() (float64, error) {
	var text string
	if err := json.Unmarshal(p[1], &text); err != nil {
		return 0, errors.New("a value in the answer is no string")
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("a value in the answer is no number: %s", remote.Clean(text, 40))
	}
	return value, nil
}

// within judges every sample; the limits themselves are within. No sample, and one that
// is no number, tell nothing.
func within(samples []sample, least, most *float64) (health.Verdict, string) {
	switch {
	case least == nil && most == nil:
		return health.Unknown, "nothing says which values are good"
	case len(samples) == 0:
		return health.Unknown, "the query gave no sample"
	}
	worst := slices.MaxFunc(samples, func(a, b sample) int {
		if by := compare(a.badness(least, most), b.badness(least, most)); by != 0 {
			return by
		}
		return strings.Compare(b.String(), a.String()) // the same one, in whatever order they come
	})
	seen := fmt.Sprintf("%s (%d samples)", worst, len(samples))
	switch bad := worst.badness(least, most); {
	case bad > 0:
		return health.Fail, seen + ", not " + limits(least, most)
	case slices.ContainsFunc(samples, sample.odd):
		return health.Unknown, "a sample is not a finite number"
	}
	return health.Pass, seen
}

// odd tells of what says nothing: division by nothing, mostly.
func (s sample) odd() bool { return math.IsNaN(s.value) || math.IsInf(s.value, 0) }

// badness is how far the value is out of the limits; 0: not at all.
func (s sample) badness(least, most *float64) float64 {
	bad := 0.0
	if least != nil && s.value < *least {
		bad = *least - s.value
	}
	if most != nil && s.value > *most {
		bad = max(bad, s.value-*most)
	}
	return bad
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// String is the value with its labels, cleaned.
func (s sample) String() string {
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		labels = append(labels, name+"="+strconv.Quote(s.labels[name]))
	}
	value := strconv.FormatFloat(s.value, 'g', 6, 64)
	if len(labels) == 0 {
		return value
	}
	return remote.Clean(strings.Join(labels, ","), 120) + " is " + value
}

func limits(least, most *float64) string {
	var words []string
	if least != nil {
		words = append(words, "at least "+strconv.FormatFloat(*least, 'g', -1, 64))
	}
	if most != nil {
		words = append(words, "at most "+strconv.FormatFloat(*most, 'g', -1, 64))
	}
	return strings.Join(words, " and ")
}
