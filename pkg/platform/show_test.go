package platform

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

func TestShow(t *testing.T) {
	step := Step{
		ID: "install", On: fact.HostID{Site: "hq", Name: "web-01"}, Title: "install 1 update",
		Deadline: time.Hour, Changes: true, Rest: true,
		Do: []Operation{
			{Command: &remote.Command{Argv: []string{"sh", "-s", "--", "a b"}, Stdin: []byte("# x\nexit 0\n"), Become: true}},
			{Command: &remote.Command{Argv: []string{"sh", "-c", "a\nb"}, Stdin: []byte("env X=1\narg apt-get\n")}},
			{Exchange: &remote.Exchange{Send: "reload", Questions: []remote.Question{{Ask: "confirm", Answer: "y"}}}, MayDrop: true},
			{Put: &File{Path: "/var/tmp/x y", Store: patch.DigestOf([]byte("x"))}},
			{},
		},
		Look: Look{Do: []Operation{{Command: &remote.Command{Argv: []string{"cat", "/proc/uptime"}, Effect: remote.Reads}}}, Reconnects: true},
	}
	want := []string{
		"install on hq/web-01: install 1 update (deadline 1h0m0s, changes the host, may rest after it, reconnects)",
		"do   as root: sh -s -- 'a b' <" + patch.DigestOf([]byte("# x\nexit 0\n")).Short() + ">",
		"do   sh -c <" + patch.DigestOf([]byte("a\nb")).Short() + "> | env X=1 | arg apt-get",
		`do   send "reload", asked "confirm" answer "y" (the connection may end)`,
		"do   put '/var/tmp/x y' from 2d711642b726",
		"do   nothing",
		"look cat /proc/uptime",
	}
	if got := Show(step); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Of a step that may be done once, the process after the one that began it only looks.
func TestResumed(t *testing.T) {
	step := Step{ID: "install", Do: []Operation{{Exchange: &remote.Exchange{Send: "restore"}}}}
	if got := step.Resumed(); len(got.Do) != 1 {
		t.Errorf("it can be done over: %+v", got)
	}
	step.Once = true
	if got := step.Resumed(); len(got.Do) != 0 || got.ID != step.ID || len(step.Do) != 1 {
		t.Errorf("got %+v of %+v", got, step)
	}
	if !strings.Contains(Show(step)[0], "never begun twice") {
		t.Errorf("nobody is told: %q", Show(step)[0])
	}
}
