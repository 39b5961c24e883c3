package bsd

// Outputs as pkg's manual, tests and users' reports have them: from documentation, unchecked.
const (
	upgradeSaid = `Updating FreeBSD repository catalogue...
FreeBSD repository is up to date.
All repositories are up to date.
Checking for upgrades (25 candidates): .......... done
Processing candidates (25 candidates): .......... done
The following 7 package(s) will be affected (of 0 checked):

New packages to be INSTALLED:
	libnghttp2: 1.21.1

Installed packages to be UPGRADED:
	curl: 7.48.0_1 -> 7.53.1_1 [FreeBSD]
	perl5: 5.20.3_8,1 -> 5.24.1_1,1 [FreeBSD] (dependency changed)

Number of packages to be installed: 1
Number of packages to be upgraded: 2

The process will require 1 MiB more space.
16 MiB to be downloaded.
`
	reinstallSaid = `Installed packages to be REINSTALLED:
	p5-GSSAPI-0.28_1 (direct dependency changed: perl5)
`
	deleteSaid = `Checking integrity... done (0 conflicting)
Deinstallation has been requested for the following 1 packages (of 0 packages in the universe):

Installed packages to be REMOVED:
	libnghttp2: 1.21.1

Number of packages to be removed: 1
`
	auditSaid = `curl-7.48.0_1 is vulnerable:
  curl -- multiple vulnerabilities
  CVE: CVE-2016-9586
  CVE: CVE-2016-5419
  WWW: https://vuxml.FreeBSD.org/freebsd/42880202-c81c-11e6-a9a5-b499baebfeaf.html

1 problem(s) in 1 installed package(s) found.
`
)
