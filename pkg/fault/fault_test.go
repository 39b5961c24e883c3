package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

func TestErrorReadsFromHostToCause(t *testing.T) {
	err := &fault.Error{Host: "hq/web-01", Step: "connect", What: "no answer", Err: errors.New("i/o timeout")}
	if got, want := err.Error(), "hq/web-01: connect: no answer: i/o timeout"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCodeKindAndHintAreFoundThroughWrapping(t *testing.T) {
	inner := &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Hint: "check the cable"}
	outer := fmt.Errorf("while dialling: %w", &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Err: inner})
	if fault.CodeOf(outer) != fault.Unreachable || fault.KindOf(outer) != fault.Retry {
		t.Errorf("code %q, kind %d", fault.CodeOf(outer), fault.KindOf(outer))
	}
	if got := fault.HintOf(outer); got != "check the cable" {
		t.Errorf("hint %q: the outermost error that has one must win", got)
	}
}

func TestPlainErrorsAreInternalAndUnknown(t *testing.T) {
	err := errors.New("boom")
	if fault.CodeOf(err) != fault.Internal || fault.KindOf(err) != fault.Unknown || fault.HintOf(err) != "" {
		t.Error("a plain error must be the worst case")
	}
}

func TestOnNamesOnlyWhatIsMissing(t *testing.T) {
	named := fault.On(&fault.Error{Host: "a/b", Code: fault.Auth}, "x/y", "connect")
	if named.Host != "a/b" || named.Step != "connect" || named.Code != fault.Auth {
		t.Errorf("got %+v", named)
	}
	if plain := fault.On(errors.New("boom"), "x/y", "connect"); plain.Code != fault.Internal || plain.Host != "x/y" {
		t.Errorf("got %+v", plain)
	}
}
