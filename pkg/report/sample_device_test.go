package report

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform/device"
)

// madeUp is a definition of a platform that there is not.
const madeUp = `name: acme_os
title: Acme OS
vendor: acme
class: network
proof: unproven
order: generic
match: {hint: Acme, probes: [{cmd: show version, all: ['^Acme OS']}]}
session:
  prompt: '^[\w.-]+[>#] ?$'
  login: [{re: 'Press any key', send: ' ', key: true}]
  open: [terminal length 0]
  pager: [{re: '--More-- ?$', send: ' ', key: true}]
  enable: {cmd: enable, ask: [{re: '^Password: ?$', secret: enable}], prompt: '^[\w.-]+# ?$'}
facts:
  version: [{cmd: show version, re: '^Acme OS (\S+)'}]
  model: [{cmd: show version, re: '^Model (\S+)'}]
  serial: [{cmd: show version, re: '^Serial (\S+)'}]
boot_time: [{cmd: show version, re: '^Up (.+)$', as: uptime, grain: 1m}]
space: [{cmd: 'dir {fs}', re: '(?P<bytes>\d+) bytes free', fs: ['flash:'], need: 2.2}]
hash: [{kind: sha512, cmd: 'verify {path}', re: '= ([0-9a-f]{128})$', timeout: 15m}]
transfer: [{how: scp, dir: 'flash:', timeout: 1h}]
questions: {reload: [{re: 'Proceed\? \[confirm\]$', send: '', key: true}]}
save: [{cmd: write memory, ok: '\[OK\]', show: show running-config}]
upgrade:
  - workflow: boot_variable
    outage: whole
    net: {kind: none}
    fallback: reinstall
    commands:
      boot: {cmd: 'boot system {path}'}
      reload: {cmd: reload, drops: true, timeout: 5m}
    time: {reload: 20m, settle: 5m, deadline: 1h}
state:
  ports: {cmd: show ports, re: '^(?P<key>\S+) +(?P<state>\S+)$', up: up}
`

func sampleDevices() []*device.Platform {
	made, err := device.Parse("acme_os.yaml", []byte(madeUp))
	if err != nil {
		panic(err) // a mistake in this file
	}
	plain := *made
	plain.Definition.Name, plain.Definition.Upgrade, plain.Definition.Why = "acme_old", nil, "nobody has written down how"
	return []*device.Platform{made, &plain}
}

// imagePlan is a pair of switches that get an image, one of them with a safety net.
func imagePlan() *plan.Plan {
	image := &patch.Image{Version: "17.12.4", Name: "cat9k_iosxe.17.12.04.SPA.bin", Digest: planDigest, SHA512: "6f2c", Size: 1100 << 20, Models: []string{"C9300*"}}
	update := patch.Update{Name: patch.ImageName, From: "17.9.4a", To: "17.12.4", Digest: planDigest, File: image.Name, Size: image.Size, Security: patch.Unknown}
	host := func(name, net string, outage patch.Outage) plan.Host {
		return plan.Host{
			ID: id(name), Ring: "test", Domain: "cisco_iosxe C9300", Platform: "cisco_iosxe", Install: []patch.Update{update}, Reboot: patch.Yes, Image: image, Unit: "core",
			Outage: outage, Net: net, Return: plan.Return{Light: plan.Amber, Reasons: []string{"until it is committed, by giving it up; not after that"}},
		}
	}
	return &plan.Plan{
		Version: 1, Playbook: "network", Source: planDigest, Site: "hq", Made: at(-90), Reboot: patch.RebootIfNeeded,
		Rings: []plan.Ring{{Name: "test", Hosts: []fact.HostID{id("sw1"), id("sw2")}, Batches: []int{1}, MaxInFlight: 20}},
		Hosts: []plan.Host{host("sw1", "a timer on the device brings the former software back, unless it is committed in time", patch.OutageWhole), host("sw2", "", patch.OutageUnknown)},
	}
}
