package terminal

import (
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

const genericQuiet = 15 * time.Second

// Generic is the dialect of a device that nobody knows yet: enough to see what it prints
// at the login, and to ask it what it is. It answers nothing but pagers, "press any key"
// and a banner that wants one key, and knows no log line. Its prompt is a short last line
// that ends in > # $ or %; behind a digit % is how far something got, unless the line
// begins with user@host (Junos: root@ex1:RE:0%). Square brackets alone are none: [confirm] asks. What says
// nothing for Quiet is not waited for: nobody knows that it ever will.
func Generic() *remote.Dialect {
	return &remote.Dialect{
		Name: "generic", Quiet: genericQuiet,
		Prompt: `^[^\n]{0,118}[\w)\]}~:/*'"@.-] ?[>#$]\)? {0,2}$|^[^\n]{0,118}[A-Za-z)\]~] ?% ?$` +
			`|^[\w.-]{1,64}@[\w.-]{0,64}(?::[^\n%]{1,40})?% ?$|^[>#$%] ?$|^<[^\n<>]{1,80}> ?$`,
		Login: []remote.Question{
			{Ask: `(?i)(?:press|hit) (?:any key|return|enter|<enter>|<return>)(?: key)? to (?:continue|get started|proceed)[^\n]{0,20}$`, Answer: "\r", Key: true},
			{Ask: `(?i)\(press return\) *$`, Answer: "\r", Key: true},
			{Ask: `(?i)\(press 'a' to accept\):? *$`, Answer: "a", Key: true}, // Fortinet's login banner
		},
		Pager: []remote.Question{
			{Ask: `\(END\) *$`, Answer: "q", Key: true},
			{Ask: `(?i)-+ *\(?more\)? *-+(?: *\([^)\n]{1,60}\))?[> ]*$`, Answer: " ", Key: true},
			{Ask: `(?i)^ *(?:press any key to continue|more: <space>)[^\n]{0,80}$`, Answer: " ", Key: true},
			{Ask: `^lines \d+-\d+[^\n]{0,40}$`, Answer: " ", Key: true},
		},
	}
}
