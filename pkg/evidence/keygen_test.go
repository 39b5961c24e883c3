package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/patch"
)

// unpacked writes a bundle's files into a folder, as unzip does.
func unpacked(t *testing.T, archive []byte) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range evidence.Unpack(archive) {
		path := filepath.Join(dir, filepath.FromSlash(p.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, p.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "allowed_signers"), []byte(signers()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stock tells whether stock ssh-keygen takes a signature.
func stock(t *testing.T, dir, who, namespace, signature string, message []byte) bool {
	t.Helper()
	tool, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skipf("compared with ssh-keygen, which is not here: %v", err)
	}
	// The stories are of a year that the machine's clock may not have reached.
	cmd := exec.CommandContext(t.Context(), tool, "-Y", "verify", "-f", "allowed_signers", "-I", who, "-n", namespace, "-s", signature, "-Overify-time=20261122")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(message)
	return cmd.Run() == nil
}

// TestKeygenAgrees: stock OpenSSH says of every signature in a bundle what we say, also when
// the message, the namespace or the person is another.
func TestKeygenAgrees(t *testing.T) {
	archive := whole(t, first, strict()).bundle()
	dir := unpacked(t, archive)
	checked := 0
	for _, p := range evidence.Unpack(archive) {
		if !strings.HasSuffix(p.Name, ".sig") {
			continue
		}
		who, namespace, name := operator().name, "patchring-evidence", strings.TrimSuffix(p.Name, ".sig")
		switch folder, _, _ := strings.Cut(p.Name, "/"); folder {
		case "approvals":
			who, namespace, name = jane().name, "patchring-approval", name+".txt"
		case "checkpoints":
			namespace, name = "patchring-checkpoint", name+".txt"
		case "plan.json.sig":
			namespace = "patchring-plan"
		}
		message, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		other := append(bytes.Clone(message), ' ')
		if !stock(t, dir, who, namespace, p.Name, message) {
			t.Errorf("ssh-keygen refuses %s", p.Name)
		}
		if stock(t, dir, who, namespace, p.Name, other) || stock(t, dir, mallory().name, namespace, p.Name, message) || stock(t, dir, who, "file", p.Name, message) {
			t.Errorf("ssh-keygen takes %s for something else", p.Name)
		}
		checked++
	}
	if checked < 7 {
		t.Errorf("only %d signatures were looked at", checked)
	}
}

// TestReadmeCommands: what README.txt tells an auditor to type works as it stands there.
func TestReadmeCommands(t *testing.T) {
	for _, tool := range []string{"ssh-keygen", "sh", "sed", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the commands of README.txt need %s: %v", tool, err)
		}
	}
	archive := whole(t, first, strict()).bundle()
	dir := unpacked(t, archive)
	readme, err := os.ReadFile(filepath.Join(dir, "README.txt"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, script := range scripts(string(readme)) {
		for _, n := range []string{"approvals/000020", "checkpoints/000002"} {
			if folder, _, _ := strings.Cut(n, "/"); strings.Contains(script, folder) {
				script = strings.ReplaceAll(script, folder+"/N", n)
			}
		}
		who := operator().name
		if strings.Contains(script, "patchring-approval") {
			who = jane().name
		}
		script = strings.NewReplacer("-I ME", "-I "+who+" -Overify-time=20261122", "SEQ", "3").Replace(script)
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "FAILED") {
			t.Errorf("%s\n%v\n%s", script, err, out)
		}
		if strings.Contains(script, "journal.jsonl") {
			lineDigest(t, dir, string(out))
		}
		ran++
	}
	if ran != 6 {
		t.Errorf("%d commands were run", ran)
	}
}

// lineDigest: what the shell says of line 3 is what a checkpoint would sign.
func lineDigest(t *testing.T, dir, printed string) {
	t.Helper()
	journal, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(bytes.Split(journal, []byte("\n"))[2])
	if got, _, _ := strings.Cut(printed, " "); got != hex.EncodeToString(sum[:]) || patch.Digest("sha256:"+got) == "" {
		t.Errorf("the shell prints %s", printed)
	}
}

// scripts gives the commands of a text: the lines with five blanks, and those that they go
// on in.
func scripts(text string) []string {
	var all []string
	more := false
	for line := range strings.Lines(text) {
		command := strings.HasPrefix(line, "     ") && !strings.HasPrefix(strings.TrimSpace(line), "(")
		switch {
		case command && more:
			all[len(all)-1] += line
		case command:
			all = append(all, line)
		}
		more = command && strings.HasSuffix(strings.TrimSpace(line), `\`)
	}
	return all
}
