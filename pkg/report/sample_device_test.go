package report

import "github.com/patchring/patchring/pkg/platform/device"

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
