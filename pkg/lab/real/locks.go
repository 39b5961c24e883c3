//go:build linux

package real

// lock is how a package manager keeps others out.
type lock struct {
	path string
	kind lockKind
}

type lockKind string

const (
	lockFcntl  lockKind = "fcntl"  // a lock on the file, as dpkg and apt take it
	lockPID    lockKind = "pid"    // the number of a process that lives, in the file
	lockExists lockKind = "exists" // the file itself
)

// Arguments: the lock's kind and file. flock(1) would lock nothing that dpkg looks at,
// and systemd-run takes perl's own variable for the number of a process away.
const holdLock = `
use Fcntl;
use POSIX ();
my ($kind, $path) = @ARGV;
$kind eq "exists" && -e $path and die "$path is there";
open my $file, ">", $path or die "open: $!";
if ($kind eq "fcntl") {
	my $lock = pack("s2 l!2 i x64", F_WRLCK, 0, 0, 0, 0);
	fcntl $file, F_SETLK, $lock or die "lock: $!";
} elsif ($kind eq "pid") {
	syswrite $file, POSIX::getpid() or die "write: $!";
}
$SIG{TERM} = sub { unlink $path if $kind ne "fcntl"; exit };
open my $sign, ">", "/run/lab-lock" or die "sign: $!";
close $sign;
sleep 600;
`

// HoldPackageLock keeps the host's package manager out, as another admin's would that
// is at work.
func (h *Host) HoldPackageLock() {
	h.t.Helper()
	l := h.OS.kit().lock
	h.Must("systemd-run", "--quiet", "--unit=lab-lock", "--property=Type=exec", "perl", "-e", holdLock, string(l.kind), l.path)
	h.Await("the package lock", func() bool {
		_, err := h.Exec("test", "-e", "/run/lab-lock")
		return err == nil
	})
}

// FreePackageLock lets go of it.
func (h *Host) FreePackageLock() {
	h.t.Helper()
	h.Must("systemctl", "stop", "lab-lock")
	h.Must("rm", "-f", "/run/lab-lock")
}
