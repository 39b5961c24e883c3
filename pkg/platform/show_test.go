package platform

import (
	"slices"
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
