package evidence

import (
	"cmp"
	"runtime/debug"
	"slices"
	"strings"
)

// The software bill of materials of this binary, in CycloneDX 1.6 as ECMA-424 has it:
// the modules that the linker has put in, as the Go toolchain itself recorded them. It
// bears neither time nor serial number, so that one binary always gives the same bytes.

type sbomDoc struct {
	Format       string           `json:"bomFormat"`
	Spec         string           `json:"specVersion"`
	Version      int              `json:"version"`
	Metadata     sbomMetadata     `json:"metadata"`
	Components   []sbomComponent  `json:"components"`
	Dependencies []sbomDependency `json:"dependencies"`
}

type sbomMetadata struct {
	Component sbomComponent `json:"component"`
}

type sbomComponent struct {
	Ref        string         `json:"bom-ref"`
	Type       string         `json:"type"`
	Name       string         `json:"name"`
	Version    string         `json:"version,omitempty"`
	PURL       string         `json:"purl"`
	Properties []sbomProperty `json:"properties,omitempty"`
}

type sbomProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type sbomDependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// SBOM writes the bill of materials of a build. version is what the program calls itself.
func SBOM(build *debug.BuildInfo, version string) ([]byte, error) {
	main := component(&build.Main)
	main.Type, main.Version = "application", version
	main.Properties = nil
	for _, s := range build.Settings {
		if told(s.Key) {
			main.Properties = append(main.Properties, sbomProperty{"go:build:" + s.Key, s.Value})
		}
	}
	doc := sbomDoc{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: sbomMetadata{main}, Components: []sbomComponent{goComponent(build.GoVersion)}}
	for _, m := range build.Deps {
		doc.Components = append(doc.Components, component(m))
	}
	slices.SortFunc(doc.Components, func(a, b sbomComponent) int { return cmp.Compare(a.Ref, b.Ref) })
	refs := []string{}
	for _, c := range doc.Components {
		refs = append(refs, c.Ref)
	}
	doc.Dependencies = []sbomDependency{{main.Ref, refs}}
	return indented(doc)
}

// told are the settings that say what was built. Others name folders of the machine.
func told(key string) bool {
	switch key {
	case "-tags", "-trimpath", "-buildmode", "CGO_ENABLED", "GOARCH", "GOOS", "GOAMD64", "GOARM64", "GOFIPS140", "vcs.revision", "vcs.time", "vcs.modified":
		return true
	}
	return false
}

// component describes a module. Its checksum is Go's own (of a tree, not of a file), so it
// is a property: a CycloneDX hash would say that a file has it.
func component(m *debug.Module) sbomComponent {
	if m.Replace != nil {
		m = m.Replace
	}
	c := sbomComponent{Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version)}
	c.Ref = c.PURL
	if m.Sum != "" {
		c.Properties = []sbomProperty{{"go:sum", m.Sum}}
	}
	return c
}

func goComponent(version string) sbomComponent {
	version = strings.TrimPrefix(version, "go")
	return sbomComponent{Ref: purl("std", version), Type: "library", Name: "std", Version: version, PURL: purl("std", version)}
}

// purl names a Go module as package-url does; versions may hold a plus.
func purl(path, version string) string {
	name := "pkg:golang/" + path
	if version == "" {
		return name
	}
	return name + "@" + strings.NewReplacer("+", "%2B", " ", "%20", "(", "%28", ")", "%29").Replace(version)
}
