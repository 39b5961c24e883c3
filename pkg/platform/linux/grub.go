package linux

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

//go:embed grub.sh
var grubScript string

//go:embed grub_look.sh
var grubLookScript string

//go:embed grub_act.sh
var grubActScript string

// menuEntry is one entry of GRUB's menu, or a submenu.
type menuEntry struct {
	id, title string
	release   string // of the kernel that it starts
	submenu   bool
	entries   []menuEntry
}

// maxEntries bounds what is kept of a menu.
const maxEntries = 500

// readMenu reads the lines of menu_lines in grub.sh.
func readMenu(lines []string) []menuEntry {
	var r menuReader
	for _, line := range lines {
		word, rest, _ := strings.Cut(strings.Join(strings.Fields(line), " "), " ")
		switch {
		case word == "}":
			r.close()
		case word == "menuentry" && r.inner == nil:
			r.inner = &menuEntry{id: entryID(rest), title: quoted(rest)}
		case word == "submenu" && r.inner == nil && r.outer == nil:
			r.outer = &menuEntry{id: entryID(rest), title: quoted(rest), submenu: true}
		case strings.HasPrefix(word, "linux") && r.inner != nil && r.inner.release == "":
			r.inner.release = releaseOfImage(rest)
		}
	}
	return r.top
}

// menuReader holds what is open while a menu is read.
type menuReader struct {
	top          []menuEntry
	outer, inner *menuEntry
	count        int
}

// close ends an entry or a submenu; the braces of functions end nothing.
func (r *menuReader) close() {
	r.count++
	switch {
	case r.count > maxEntries:
	case r.inner != nil && r.outer != nil:
		r.outer.entries = append(r.outer.entries, *r.inner)
	case r.inner != nil:
		r.top = append(r.top, *r.inner)
	case r.outer != nil:
		r.top = append(r.top, *r.outer)
	}
	if r.inner == nil {
		r.outer = nil
	}
	r.inner = nil
}

// readBLS reads the lines of bls_lines: GRUB shows the newest first.
func readBLS(lines []string, compare func(a, b string) int) []menuEntry {
	var all []menuEntry
	for _, line := range lines {
		word, rest, _ := strings.Cut(strings.Join(strings.Fields(line), " "), " ")
		switch {
		case word == "entry" && len(all) < maxEntries:
			all = append(all, menuEntry{id: rest, title: rest})
		case word == "linux" && len(all) > 0:
			all[len(all)-1].release = releaseOfImage(rest)
		}
	}
	slices.SortStableFunc(all, func(a, b menuEntry) int { return compare(b.release, a.release) })
	return all
}

// entryID is the id, or the title, as entry_id in grub.sh finds it.
func entryID(rest string) string {
	for _, mark := range []string{"menuentry_id_option '", "--id '"} {
		if _, after, found := strings.Cut(rest, mark); found {
			id, _, _ := strings.Cut(after, "'")
			return id
		}
	}
	return quoted(rest)
}

// quoted is the title that a line begins with.
func quoted(rest string) string {
	after, found := strings.CutPrefix(rest, "'")
	if !found {
		return ""
	}
	title, _, _ := strings.Cut(after, "'")
	return title
}

// releaseOfImage is of the first word: "/boot/vmlinuz-6.1.0-37-amd64".
func releaseOfImage(rest string) string {
	image, _, _ := strings.Cut(rest, " ")
	_, release, found := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], "vmlinuz-")
	if !found || !kernelForm.MatchString(release) {
		return ""
	}
	return release
}

// pinned is the path of the entry that always starts this kernel: its id holds the
// release. The entry of "whatever is newest" is none. "": there is none.
func pinned(menu []menuEntry, release string) string {
	path := pathOf(menu, release)
	if release == "" || started(menu, path) != release { // two entries may have one name
		return ""
	}
	return path
}

func pathOf(menu []menuEntry, release string) string {
	for _, e := range menu {
		switch {
		case e.submenu:
			if path := pathOf(e.entries, release); path != "" {
				return e.id + ">" + path
			}
		case e.release == release && strings.Contains(e.id, release) && !strings.Contains(e.id, "recovery") && !strings.Contains(e.id, ">"):
			return e.id
		}
	}
	return ""
}

// started is the release that a default starts: an id, a title, a number, or a path of
// such; "" where it can't be told.
func started(menu []menuEntry, path string) string {
	head, rest, deeper := strings.Cut(path, ">")
	if head == "" {
		head = "0"
	}
	at := slices.IndexFunc(menu, func(e menuEntry) bool { return e.id == head || e.title == head })
	if n, err := strconv.Atoi(head); at < 0 && err == nil {
		at = n
	}
	switch {
	case at < 0 || at >= len(menu), deeper != menu[at].submenu:
		return ""
	case deeper:
		return started(menu[at].entries, rest)
	}
	return menu[at].release
}

// loader is what one look learned of the boot loader.
type loader struct {
	boot, runs  string
	menu        []menuEntry
	saved, next string // as grub-editenv lists them
	why         string // why it can't be told to start a kernel once, or ""
	panics      bool   // a kernel that panics stands still, as far as its command line goes
}

func readLoader(rep Report, compare func(a, b string) int) loader {
	f := rep.Fields("loader")
	env := rep.Fields("env")
	l := loader{boot: f["boot_id"], runs: f["kernel"], saved: env["saved_entry"], next: env["next_entry"], panics: f["panic"] == ""}
	lines := rep.Get("menu").Lines()
	l.menu = append(readBLS(rep.Get("bls").Lines(), compare), readMenu(lines)...)
	l.why = oneShotObstacle(rep, f, lines)
	return l
}

// oneShotObstacle: GRUB itself must be able to take its word back, which it does by
// writing to its environment block before it starts the kernel.
func oneShotObstacle(rep Report, f map[string]string, menu []string) string {
	saves := slices.ContainsFunc(menu, func(line string) bool {
		return strings.Contains(line, "set default=") && strings.Contains(line, "${saved_entry}")
	})
	switch {
	case f["cfg"] == "" || f["tool"] == "":
		return "there is no GRUB with grub-reboot"
	case !rep.Get("menu").OK():
		return "GRUB's menu could not be read: " + rep.Get("menu").Why()
	case f["once"] != "yes" || !saves:
		return "GRUB does not start what is saved (" + firstOf(f["default"], "GRUB_DEFAULT is not known") + "): it takes GRUB_DEFAULT=saved"
	case !slices.Contains([]string{"ext2", "ext3", "ext4", "xfs", "fat", "vfat"}, f["fs"]):
		return "GRUB can't write to the file system of its folder (" + remote.Clean(f["fs"], 40) + ")"
	case f["abstraction"] != "":
		return "GRUB can't write to its folder, which lies on " + remote.Clean(f["abstraction"], 60)
	case !rep.Get("env").OK():
		return "GRUB's environment could not be read: " + rep.Get("env").Why()
	}
	return ""
}

func firstOf(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return remote.Clean(text, 100)
}
