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
