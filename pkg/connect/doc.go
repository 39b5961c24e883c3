// Package connect is the only home of SSH: it dials, checks host keys, logs in,
// goes through bastions, runs commands (as root where asked) and moves files.
//
// A Fleet leases connections. One connection a host is shared by everyone who
// holds a Lease of it, dialled again when it died, closed when nobody needs it.
// The parts, from the wire up:
//
//	options.go              what a caller may set
//	sshconfig.go route.go   where to connect, as whom: inventory first, ssh_config below
//	dial.go hop.go wire.go  TCP or a bastion's channel, time limits
//	door.go                 politeness to one address: places, back-off, penalties
//	control*.go             the user's own OpenSSH master connection instead of a login
//	hostkeys*.go            known_hosts, pinned fingerprints, accept-new
//	auth*.go keys.go cert.go agent.go breaker.go
//	                        which credential, in which order, how often, and never where
//	interactive*.go         what a server asks of a person, one question at a time
//	conn.go                 one live connection: keepalives, its end
//	node.go slots.go        sharing, idle closing, limits of a site
//	session.go exec.go run.go become.go elevate.go stages.go
//	                        one command, with sudo, su or doas
//	console*.go             a device's command line: package terminal on a shell channel
//	files*.go sftp.go       SFTP, or cat where SFTP can't
//	push*.go                SCP or SFTP to devices without a shell
//	algorithms.go grace.go  old algorithms where they are allowed; logins just after a reload
//	faults.go               what a tired admin is told
package connect
