package zypper

// PatchNames are the names of list-patches.
func PatchNames(text string) (names []string, err error) {
	fixes, err := readPatches(text)
	for _, f := range fixes {
		names = append(names, f.name)
	}
	return names, err
}

// Scripts are the two texts of the manager.
func Scripts() (looks, acts string) { return script, jobs }

// Parse runs every parser of foreign text, for the fuzz target.
func Parse(text string) {
	_, _, _ = readUpdates(text)
	_, _ = readPatches(text)
	_, _ = readLocks(text)
	_, _ = readSummary(text)
	_ = readBounds(text)
	_ = complaint(text)
}

// Replaced are the packages that `zypper info -t patch` says patches want newer, by patch.
func Replaced(text string) map[string][]string {
	all := map[string][]string{}
	for name, bounds := range readBounds(text) {
		for _, b := range bounds {
			all[name] = append(all[name], b.name+" < "+b.below)
		}
	}
	return all
}
