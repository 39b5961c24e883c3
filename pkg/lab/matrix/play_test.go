package matrix

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	definitions "github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/device/workflow"
)

// verdict is what patchring says of a host in the end.
type verdict string

const (
	saidUnknown verdict = "unknown"
	saidNotDone verdict = "not done"
	saidDone    verdict = "done"
)

// cell is one play: one device, one thing that goes wrong.
type cell struct {
	family  family
	moment  string // of the table: the step of the driver
	name    string
	faults  []device.Fault
	before  func(*play) // out of band, before anything is looked at
	kill    *kill       // the first life ends there
	pause   time.Duration
	mutate  func([]platform.Step) []platform.Step // a broken driver
	work    func(*patch.Work)
	image   func([]byte) []byte // what lies in the store in the image's place
	watch   *course
	on      hooks             // out of band, before a step of the flow
	blinker func(*fact.Facts) // of a broken driver: what it sees of the facts
	want    verdict           // where it is certain
	never   []string          // effects that must not come about
	lies    string            // why nobody could know
}

func (c cell) String() string {
	return strings.ReplaceAll(c.family.kind+"/"+c.moment+"/"+c.name, " ", "_")
}

// ground is what all plays share.
type ground struct {
	library definitions.Library
	web     *web
	many    *many // devices of one fleet; nil: each has its own
}

// play is a cell under way.
type play struct {
	cell
	t       testing.TB
	device  *device.Device
	port    *Port
	content *content
	ground
	mate    *play // the other host of a pair
	link    *link
	killer  *killer
	key     ssh.PublicKey
	facts   fact.Facts
	work    patch.Work
	earlier fact.Snapshot
	passed  map[platform.StepID]bool // journaled as done
	begun   map[platform.StepID]bool // journaled as begun
	hooked  map[platform.StepID]bool
	checked time.Time // when the checks had passed
	said    verdict
	at      string   // where it ended
	why     []string // and why
	log     []string
	started device.State
	touched bool // a step that changes the device has begun
}

// run plays a cell in virtual time; it must stand in a bubble of testing/synctest.
func (c cell) run(t *testing.T, on ground) *play {
	t.Helper()
	begin()
	return c.play(t, on)
}

func (c cell) play(t testing.TB, on ground) *play {
	t.Helper()
	p := c.prepared(t, on)
	p.goes()
	return p
}

// prepared starts the device, and does nothing with it yet.
func (c cell) prepared(t testing.TB, on ground) *play {
	t.Helper()
	p := c.newPlay(t, on)
	group := device.NewGroup(time.Time{}, 1)
	if mate := c.family.mate; mate != nil {
		p.mate = cell{family: *mate, moment: "all", name: "mate"}.newPlay(t, on)
		p.mate.begin(group)
	}
	p.begin(group)
	return p
}

func (c cell) newPlay(t testing.TB, on ground) *play {
	t.Helper()
	return &play{cell: c, t: t, ground: on, port: &Port{}, passed: map[platform.StepID]bool{}, begun: map[platform.StepID]bool{}, hooked: map[platform.StepID]bool{}, said: saidUnknown}
}

// close ends the simulated devices.
func (p *play) close() {
	p.device.Close()
	if p.mate != nil {
		p.mate.close()
	}
}

// goes is what patchring does with the device.
func (p *play) goes() {
	if p.family.second {
		p.follows()
	}
	if p.plan() {
		p.lives()
	}
	if p.many == nil {
		p.link.end()
	}
}

// follows: the other host of the pair is upgraded before.
func (p *play) follows() {
	p.t.Helper()
	if p.mate.goes(); p.mate.said != saidDone {
		p.t.Fatalf("the first of the pair said %s at %s: %v", p.mate.said, p.mate.at, p.mate.why)
	}
	p.started = p.device.Truth()
}

func (p *play) connects() *link {
	l := &link{content: p.content, web: p.web, host: hostOf(p.key)}
	if p.many != nil {
		p.many.take(l, p.port)
		return l
	}
	l.fleet = connect.New(connect.Options{Secrets: secrets{}, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx, p.port) }})
	return l
}

func (p *play) begin(group *device.Group) {
	kind, err := device.Embedded(p.family.kind)
	if err != nil {
		p.t.Fatal(err)
	}
	p.device, err = device.New(kind, device.Options{
		Name: "sw1", Password: loginSecret, Enable: enableSecret, Port: p.port, Group: group, Faults: p.faults, Values: p.family.values,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.device.Start(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	image := device.MakeImage(p.family.sort, spelled(p.family.image, p.family.to), 20_000)
	if p.cell.image != nil {
		image = p.cell.image(image)
	}
	p.content = newContent(image)
	p.work = workOf(p.family, image)
	if p.cell.work != nil {
		p.cell.work(&p.work)
	}
	for _, before := range []func(*play){p.family.before, p.before} {
		if before != nil {
			before(p)
		}
	}
	p.key = p.device.Key()
	p.link = p.connects()
	p.started = p.device.Truth()
}

// spelled is the version as the vendor writes it into the name of the file.
func spelled(name, version string) string {
	if strings.Contains(name, "17.12.04") {
		return "17.12.04"
	}
	return version
}

func workOf(f family, image []byte) patch.Work {
	m, s, l := md5.Sum(image), sha1.Sum(image), sha512.Sum512(image)
	digest := patch.DigestOf(image)
	serve := ""
	if f.pull {
		serve = "192.0.2.99"
	}
	return patch.Work{
		Install: []patch.Update{{Name: patch.ImageName, From: f.from, To: f.to, Digest: digest}},
		Image: &patch.Image{
			Version: f.to, Name: f.image, Digest: digest, Size: int64(len(image)), Models: []string{"*", "*/*"}, Serve: serve,
			MD5: hex.EncodeToString(m[:]), SHA1: hex.EncodeToString(s[:]), SHA512: hex.EncodeToString(l[:]),
		},
	}
}

// end ends a life.
func (l *link) end() {
	l.cut()
	_ = l.fleet.Close()
}

// plan detects the device, and asks the driver for its steps: what the journal holds.
func (p *play) plan() bool {
	facts, err := p.detect(context.Background(), 20*time.Second)
	if err != nil {
		p.ends(saidNotDone, "detect", err.Error())
		return false
	}
	p.facts = facts
	if p.blinker != nil {
		p.blinker(&p.facts)
	}
	if facts.Platform != p.family.platform {
		p.ends(saidNotDone, "detect", fmt.Sprintf("it was taken for %q: %v", facts.Platform, facts.Problems))
		return false
	}
	if p.work.Install[0].From == p.family.from {
		p.work.Install[0].From = facts.Version
	}
	if _, err := p.steps(); err != nil {
		p.ends(saidNotDone, "steps", err.Error())
		return false
	}
	return true
}

func (p *play) detect(ctx context.Context, patience time.Duration) (fact.Facts, error) {
	q := detect.Query{Library: p.library, Platform: p.facts.Platform}
	return detect.Again(ctx, p.link.lease, p.link.host.ID, time.Now, q, patience)
}

// driver is that of the platform.
func (p *play) driver() workflow.Driver {
	found, ok := p.library.Find(p.family.platform)
	if !ok {
		p.t.Fatalf("no platform %s", p.family.platform)
	}
	return workflow.Driver{Platform: found}
}

func (p *play) steps() ([]platform.Step, error) {
	steps, err := p.driver().Steps(p.facts, p.work)
	if err == nil && p.mutate != nil {
		steps = p.mutate(steps)
	}
	return steps, err
}
