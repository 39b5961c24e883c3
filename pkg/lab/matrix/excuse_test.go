package matrix

import (
	"strings"
	"time"
)

// excuse is why nobody could know: then, and only then, unknown is right for a device that was
// touched. Empty: the truth could be read before the step's deadline.
func (c cell) excuse() string {
	for _, f := range c.faults {
		if why := excuses()[f.Do]; why != "" {
			return why
		}
		if f.Do == "aaa_down" && time.Duration(f.For) > 10*time.Minute {
			return "logins are refused for longer than an account may be tried"
		}
		if f.At == "add_middle" || f.At == "activating" {
			return "the installer's log shows a beginning without an end"
		}
		if c.typed() {
			if why := typedExcuses()[f.Do]; why != "" {
				return why
			}
		}
	}
	return c.lies
}

// excuses are of faults that keep the truth from us, wherever they strike.
func excuses() map[string]string {
	return map[string]string{
		"never_back":          "it does not come back",
		"key_changes":         "it shows another host key: a person decides",
		"vtys_full":           "it lets nobody in any more",
		"swap_member":         "a member is another device: a person decides",
		"boots_degraded":      "a member is missing, or something is down for good: a person decides",
		"one_old_image":       "the members run different software: a person decides",
		"standby_never_syncs": "its members do not agree",
		"hang":                "the command was typed, and nothing was heard of it until the deadline",
		"timer_inactive":      "its own safety net is not armed: a person decides",
		"old_image":           "it runs the former software, and says that it is to run the new",
	}
}

// typed tells whether a fault strikes while a command that changes the device is at work.
func (c cell) typed() bool {
	at, _, _ := strings.Cut(c.name, "/")
	switch at {
	case "boot", "back", "down", "transfer":
		return false
	}
	return c.kill == nil
}

// typedExcuses are of faults that cut a command that was typed: it is never typed again, and
// whether it is still at work nobody can read.
func typedExcuses() map[string]string {
	return map[string]string{
		"drop":       "the connection was cut while the command was at work",
		"lose_reply": "the reply was lost",
		"slow":       "the reply did not come in time",
		"hostile":    "the reply can't be read",
		"power_cut":  "it was away until the step's deadline",
		"aaa_down":   "logins are refused, and no reload is under way: nobody tries for long",
	}
}
