package evidence

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
)

// The files of a bundle. There are no others.
const (
	nameManifest     = "manifest.json"
	nameManifestSig  = "manifest.json.sig"
	nameJournal      = "journal.jsonl"
	namePlan         = "plan.json"
	namePlanSig      = "plan.json.sig"
	nameHosts        = "hosts.json"
	nameHostsCSV     = "hosts.csv"
	nameSummary      = "summary.json"
	nameSBOM         = "sbom.cdx.json"
	nameReadme       = "README.txt"
	folderApproval   = "approvals"
	folderCheckpoint = "checkpoints"
	folderSets       = "sets"
	folderStore      = "store"
)

// grammar of the names: numbers are those of journal records, hex digits a digest.
var grammar = regexp.MustCompile(`^(?:manifest\.json(?:\.sig)?|journal\.jsonl|plan\.json(?:\.sig)?|hosts\.(?:json|csv)|summary\.json|sbom\.cdx\.json|README\.txt|(?:approvals|checkpoints)/[0-9]{6,20}\.(?:txt|sig)|sets/[0-9a-f]{64}\.json|store/[0-9a-f]{64})$`)

func known(name string) bool { return grammar.MatchString(name) }

// messageName and signatureName are the files of what was signed in a journal record.
func messageName(folder string, seq uint64) string   { return fmt.Sprintf("%s/%06d.txt", folder, seq) }
func signatureName(folder string, seq uint64) string { return fmt.Sprintf("%s/%06d.sig", folder, seq) }

func setName(d patch.Digest) string   { return folderSets + "/" + hexOf(d) + ".json" }
func storeName(d patch.Digest) string { return folderStore + "/" + hexOf(d) }

func hexOf(d patch.Digest) string { return strings.TrimPrefix(string(d), "sha256:") }
