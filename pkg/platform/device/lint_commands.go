package device

import (
	"regexp"
	"slices"
	"strings"
)

// nameForm is a platform's name. It stands in file names and in what people type.
var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{1,40}$`)

// readers are the words that begin commands that only read, on every command line where
// they exist at all.
func readers() []string {
	return []string{
		"show", "display", "get", "dir", "ls", "list", "verify", "version", "cat", "uname", "df", "stat", "pwd", "hostname",
		"who", "whoami", "uptime", "head", "tail", "grep", "md5", "md5sum", "md5-checksum", "sha1", "sha1sum", "sha256", "sha256sum",
		"sha512", "sha512sum", "info", "dmidecode", "lsblk", "history", "which", "test", "vmware", "switchshow", "chassisshow", "firmwareshow",
		"getversion", "isi_hw_status", "print",
	}
}

// prefixes are beginnings of reading commands whose first word alone does not show it.
func prefixes() []string {
	return []string{
		"admin show", "do show", "run show", "tmsh show", "tmsh list", "clish -c \"show", "cli show", "file list", "file checksum", "file show", "bash md5sum", "bash sha512sum",
		"diagnose sys ha status", "diagnose sys ha checksum show", "diagnose autoupdate status", "diagnose hardware sysinfo", "admin display-config",
		"request system software info", "nv show", "net show", "esxcli hardware", "vim-cmd hostsvc/hostsummary", "openssl dgst", "racadm get",
		"config system status", "freebsd-version", "sysctl -n", "sysctl kern.", "opkg list-installed", "ubus call system board",
	}
}

// verbs make a command read that begins with a noun: system image show. They come last, or
// before options.
func verbs() []string {
	return []string{"show", "print", "list", "get", "status"}
}

// changers never stand in a command that only reads, wherever they stand.
func changers() []string {
	return []string{
		"add", "install", "activate", "commit", "remove", "delete", "erase", "format", "write", "copy", "reload", "reboot", "restart", "shutdown",
		"set", "modify", "create", "edit", "configure", "config-register", "enable", "disable", "rename", "move", "upgrade", "update", "rollback", "reset", "save",
		"load", "start", "stop", "kill", "rm", "mv", "cp", "dd", "tee", "sh", "clear", "execute", "import", "request", "switchover", "failover",
	}
}

// nouns change where they come first, and are things where a reading verb follows:
// storage failover show.
func nouns() []string {
	return []string{"failover", "update", "upgrade", "switchover", "install", "load", "import"}
}

// changing tells whether a word changes something when it stands in front.
func changing(word string) bool { return slices.Contains(changers(), strings.ToLower(word)) }

// reads tells whether a command looks as if it only read. Pipes into filters are fine,
// but nothing may be written or begun behind them.
func reads(command string, own []string) bool {
	if strings.ContainsAny(command, ">`$") || strings.Contains(command, "&&") {
		return false
	}
	if _, filters, piped := strings.Cut(command, "|"); piped && slices.ContainsFunc(strings.Fields(filters), writes) {
		return false
	}
	for part := range strings.SplitSeq(command, ";") {
		if !readsOne(strings.TrimSpace(part), own) {
			return false
		}
	}
	return true
}

// writes tells whether a word behind a pipe keeps or runs what comes through it.
func writes(word string) bool {
	return changing(word) || slices.Contains([]string{"redirect", "append", "bash", "xargs", "email", "vsh"}, word)
}

func readsOne(command string, own []string) bool {
	lower := strings.ToLower(command)
	begins := func(p string) bool {
		return strings.HasPrefix(lower, strings.ToLower(p))
	}
	if slices.ContainsFunc(own, begins) || slices.ContainsFunc(prefixes(), begins) {
		return true
	}
	words := strings.Fields(lower)
	if len(words) == 0 {
		return false
	}
	if slices.Contains(readers(), strings.TrimPrefix(words[0], "/")) {
		return true
	}
	at := slices.IndexFunc(words, func(w string) bool { return slices.Contains(verbs(), w) || strings.HasPrefix(w, "show-") })
	return at > 0 && !slices.ContainsFunc(words[:at], func(w string) bool { return changing(w) && !slices.Contains(nouns(), w) })
}
