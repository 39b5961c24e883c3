package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/patchring/patchring/pkg/engine/sim"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// forecast shows when a plan would be carried out: the same state machine over virtual
// time, with hosts that all behave as expected.
func (e Env) forecast(_ context.Context, o PlanOptions, p *plan.Plan) (Ending, error) {
	format, err := o.forecastFormat()
	if err != nil {
		return Ending{}, err
	}
	digest, err := plan.Digest(p)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // says what failed
	}
	foreseen, err := sim.For(rollout.Open("forecast", p, digest), p, e.Now(), sim.Assumptions{Starter: e.Actor})
	if err != nil {
		return Ending{}, fmt.Errorf("foresee the rollout: %w", err)
	}
	doc := report.NewForecast(foreseen)
	if o.Out == "" {
		return Ending{}, e.writeForecast(e.Out, doc, format)
	}
	f, err := os.OpenFile(o.Out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return Ending{}, fmt.Errorf("write the forecast: %w", err)
	}
	return Ending{}, errors.Join(e.writeForecast(f, doc, format), f.Close())
}

func (o PlanOptions) forecastFormat() (report.Format, error) {
	if o.JSON {
		return report.FormatJSON, nil
	}
	return report.ParseForecastFormat(o.Format) //nolint:wrapcheck // carries a hint
}

func (e Env) writeForecast(w io.Writer, doc report.Forecast, format report.Format) error {
	return report.WriteForecast(w, quieted(e.Secrets.Filter, doc), format, report.Options{Width: e.tableWidth(), Colour: e.Color}) //nolint:wrapcheck // says what failed
}
