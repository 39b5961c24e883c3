package hook

import (
	"math"
	"strings"
	"testing"
	"unicode"

	"github.com/patchring/patchring/pkg/health"
)

const vectorOf = `{"status":"success","data":{"resultType":"vector","result":[`

func TestReadSamples(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want health.Verdict // with at most 1
		says string
	}{
		"vector":     {vectorOf + `{"metric":{"i":"a"},"value":[1,"0.2"]},{"metric":{"i":"b"},"value":[1,"1"]}]}}`, health.Pass, `(2 samples)`},
		"scalar":     {`{"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"1e-3"]},"infos":["x"]}`, health.Pass, "0.001"},
		"one is bad": {vectorOf + `{"metric":{"i":"b"},"value":[1,"9"]},{"metric":{"i":"a"},"value":[1,"2"]}]}}`, health.Fail, `i="b" is 9`},
		"no labels":  {vectorOf + `{"metric":{},"value":[1,"3"]}]}}`, health.Fail, "3 (1 samples), not at most 1"},
		"empty":      {vectorOf + `]}}`, health.Unknown, "no sample"},
		"null":       {`{"status":"success","data":{"resultType":"vector","result":null}}`, health.Unknown, "no sample"},
		"NaN":        {vectorOf + `{"metric":{},"value":[1,"NaN"]}]}}`, health.Unknown, "finite"},
		"NaN beside": {vectorOf + `{"metric":{},"value":[1,"NaN"]},{"metric":{},"value":[1,"0"]}]}}`, health.Unknown, "finite"},
		"infinite":   {vectorOf + `{"metric":{},"value":[1,"+Inf"]}]}}`, health.Fail, "+Inf"},
		"minus":      {vectorOf + `{"metric":{},"value":[1,"-Inf"]}]}}`, health.Unknown, "finite"},
		"histogram":  {vectorOf + `{"metric":{},"histogram":[1,{}]}]}}`, health.Unknown, "histograms"},
		"matrix":     {`{"status":"success","data":{"resultType":"matrix","result":[]}}`, health.Unknown, "matrix"},
		"string":     {`{"status":"success","data":{"resultType":"string","result":[1,"0"]}}`, health.Unknown, "string"},
		"no string":  {vectorOf + `{"metric":{},"value":[1,0]}]}}`, health.Unknown, "no string"},
		"no number":  {vectorOf + `{"metric":{},"value":[1,"x"]}]}}`, health.Unknown, "no number"},
		"null value": {vectorOf + `{"metric":{},"value":[1,null]}]}}`, health.Unknown, "no number"},
		"short":      {vectorOf + `{"metric":{},"value":[1]}]}}`, health.Unknown, "string"},
		"no scalar":  {`{"status":"success","data":{"resultType":"scalar","result":null}}`, health.Unknown, "scalar"},
		"error":      {`{"status":"error","errorType":"bad_data","error":"parse \u001b[1m"}`, health.Unknown, `error parse \x1b[1m`},
		"warning":    {`{"status":"success","warnings":["a store is down"],"data":{"resultType":"scalar","result":[1,"0"]}}`, health.Unknown, "a store is down"},
		"not JSON":   {`<html>`, health.Unknown, "not Prometheus's"},
		"more":       {vectorOf + `]}} x`, health.Unknown, "not Prometheus's"},
		"nothing":    {``, health.Unknown, "not Prometheus's"},
		"other":      {`{}`, health.Unknown, "says"},
	} {
		samples, err := readSamples([]byte(c.body))
		verdict, seen := within(samples, nil, new(1.0))
		if err != nil {
			verdict, seen = health.Unknown, err.Error()
		}
		if verdict != c.want || !strings.Contains(seen, c.says) {
			t.Errorf("%s: want %s with %q, got %s %q", name, c.want, c.says, verdict, seen)
		}
	}
	if v, seen := within([]sample{{value: 1}}, nil, nil); v != health.Unknown || seen == "" {
		t.Errorf("without limits: %s %q", v, seen)
	}
}

func FuzzPrometheus(f *testing.F) {
	f.Add([]byte(vectorOf + `{"metric":{"i":"b"},"value":[1,"9"]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		samples, err := readSamples(body)
		if err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("not clean: %q", err)
			}
			return
		}
		verdict, seen := within(samples, new(0.0), new(1.0))
		if seen == "" || strings.ContainsFunc(seen, unicode.IsControl) || len(seen) > 1000 {
			t.Errorf("not clean: %q", seen)
		}
		for _, s := range samples {
			if verdict == health.Pass && !(s.value >= 0 && s.value <= 1 && !math.IsNaN(s.value)) {
				t.Errorf("pass with %v", s.value)
			}
		}
		if verdict == health.Pass && len(samples) == 0 {
			t.Error("pass out of nothing")
		}
	})
}
