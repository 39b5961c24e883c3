package app

import (
	"context"
	"crypto/sha512"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/sign"
	"github.com/patchring/patchring/pkg/sshsig"
)

//go:embed demo.yaml
var demoBook []byte

// DemoOptions are those of `demo`.
type DemoOptions struct {
	Options
	Dir string
}

// Demo carries a whole rollout through a simulated fleet, with the same use cases
// that the commands call, and then asks the fleet itself whether it went as its script
// foresees.
func (e Env) Demo(ctx context.Context, o DemoOptions) (Ending, error) {
	dir, err := demoDir(o.Dir)
	if err != nil {
		return Ending{}, err
	}
	fleet, err := lab.Start(ctx, lab.Demo())
	if err != nil {
		return Ending{}, fmt.Errorf("start the simulated fleet: %w", err)
	}
	defer fleet.Close()
	options, err := furnish(fleet, dir)
	if err != nil {
		return Ending{}, err
	}
	if options.SignKey, err = demoSigner(dir); err != nil {
		return Ending{}, err
	}
	book := filepath.Join(dir, "playbooks", "demo.yaml")
	if err := e.scenes(ctx, options, len(fleet.Names()), book); err != nil {
		return Ending{}, err
	}
	return e.epilogue(ctx, options, fleet, dir)
}

func demoDir(named string) (string, error) {
	if named == "" {
		dir, err := os.MkdirTemp("", "patchring-demo-")
		if err != nil {
			return "", fmt.Errorf("make a folder for the demo: %w", err)
		}
		return dir, nil
	}
	if err := os.MkdirAll(named, 0o700); err != nil {
		return "", &fault.Error{Code: fault.Usage, What: "can't make the demo's folder", Err: err, Hint: "name another with --dir"}
	}
	return named, nil
}

// furnish writes inventory, key, known_hosts and playbook for a fleet into a folder.
func furnish(fleet *lab.Fleet, dir string) (Options, error) {
	if err := fleet.Write(dir); err != nil {
		return Options{}, fmt.Errorf("write the fleet's inventory: %w", err)
	}
	path := filepath.Join(dir, "playbooks", "demo.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Options{}, fmt.Errorf("write the demo's playbook: %w", err)
	}
	image := device.MakeImage("cat9k", demoVersion, 2<<20)
	sum := sha512.Sum512(image)
	book := strings.Replace(string(demoBook), "{{sha512}}", hex.EncodeToString(sum[:]), 1)
	if err := os.WriteFile(path, []byte(book), 0o600); err != nil {
		return Options{}, fmt.Errorf("write the demo's playbook: %w", err)
	}
	if err := writeImage(filepath.Join(dir, "images", demoImage), image); err != nil {
		return Options{}, err
	}
	return Options{
		Inventory: filepath.Join(dir, "inventory.yaml"), State: filepath.Join(dir, "state"),
		KnownHosts: filepath.Join(dir, "known_hosts"), SSHConfig: "none", Yes: true,
	}, nil
}

// demoSigner makes a key for the checkpoints, lets it sign them, and has the site demand them.
func demoSigner(dir string) (string, error) {
	key := filepath.Join(dir, "keys", demoWho)
	if err := os.MkdirAll(filepath.Dir(key), 0o700); err != nil {
		return "", fmt.Errorf("make the demo's key: %w", err)
	}
	public, err := sign.Create(key, demoWho+"@demo.example")
	if err != nil {
		return "", err //nolint:wrapcheck // says which file
	}
	line := fmt.Sprintf("%s@demo.example namespaces=\"%s,%s\" %s\n", demoWho, sshsig.NamespaceCheckpoint, sshsig.NamespaceEvidence, public)
	if err := os.WriteFile(filepath.Join(dir, "allowed_signers"), []byte(line), 0o600); err != nil {
		return "", fmt.Errorf("write the demo's allowed signers: %w", err)
	}
	inventory, err := os.OpenFile(filepath.Join(dir, "inventory.yaml"), os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the demo's own folder
	if err != nil {
		return "", fmt.Errorf("write the demo's inventory: %w", err)
	}
	_, err = inventory.WriteString("trust: {allowed_signers: allowed_signers, signed: [checkpoints]}\n")
	return key, errors.Join(err, inventory.Close())
}

// demoWho carries the demo's rollout out.
const demoWho = "operator"

// The image of the demo's switches.
const (
	demoVersion = "17.12.4"
	demoImage   = "cat9k_iosxe.17.12.04.SPA.bin"
)

func writeImage(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write the demo's image: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("write the demo's image: %w", err)
	}
	return nil
}

// scenes are what a person would type, one after the other.
func (e Env) scenes(ctx context.Context, o Options, hosts int, book string) error {
	e.say("%d simulated hosts are up on loopback, behind real SSH.\n", hosts)
	e.say("$ patchring detect")
	if _, err := e.Detect(ctx, DetectOptions{Options: o}); err != nil {
		return err
	}
	e.say("\n$ patchring plan playbooks/demo.yaml --summary --accept-no-lock")
	plan := PlanOptions{Options: o, Playbook: book, Summary: true, NoLock: true}
	if _, err := e.Plan(ctx, plan); err != nil {
		return err
	}
	e.say("\n$ patchring run playbooks/demo.yaml --accept-no-lock --yes --sign-key keys/%s", demoWho)
	end, err := e.Run(ctx, RunOptions{PlanOptions: plan})
	if err != nil {
		return err
	}
	e.say("exit code %d: %s", end.Code, end.Why)
	return e.evidenceScene(ctx, o)
}

// evidenceScene packs what happened for an auditor, and is the auditor.
func (e Env) evidenceScene(ctx context.Context, o Options) error {
	r, err := ReportOptions{Options: o}.reported(ctx)
	if err != nil {
		return err
	}
	id := r.ID
	r.Close()
	dir := filepath.Dir(o.Inventory)
	bundle, signers := filepath.Join(dir, "evidence.zip"), filepath.Join(dir, "allowed_signers")
	e.say("\n$ patchring evidence export %s --out evidence.zip --sign-key keys/%s", id, demoWho)
	if _, err := e.ExportEvidence(ctx, EvidenceOptions{Options: o, Rollout: id, Out: bundle, Force: true}); err != nil {
		return err
	}
	e.say("\n$ patchring evidence verify evidence.zip --allowed-signers allowed_signers")
	end, err := e.VerifyEvidence(ctx, EvidenceOptions{File: bundle, AllowedSigners: signers})
	if err == nil && end.Code != 0 {
		err = &fault.Error{Code: fault.Internal, Step: "demo", What: "the evidence of the demo does not verify: " + end.Why, Hint: "it is in " + bundle}
	}
	return err
}

// epilogue compares the fleet with the script, and says what to try next.
func (e Env) epilogue(ctx context.Context, o Options, fleet *lab.Fleet, dir string) (Ending, error) {
	r, err := ReportOptions{Options: o}.reported(ctx)
	if err != nil {
		return Ending{}, err
	}
	defer r.Close()
	if wrong := offScript(r.state.Status(e.Now()), fleet); len(wrong) > 0 {
		for _, w := range wrong {
			e.say("off script: %s", w)
		}
		return Ending{}, &fault.Error{Code: fault.Internal, Step: "demo", What: "the rollout did not end as the demo's script foresees", Hint: "the journal is in " + dir}
	}
	e.say(`
As the script foresees: the test ring was patched and proven healthy, its gate to
production opened, the two core switches got the image that the test switch had proven,
one after the other, and the first production host that turned unhealthy after its
patch stopped the ring. No host behind it was touched.

Everything lies in %s: inventory, playbook, journal, report, and the
signed bundle for an auditor, evidence.zip.

On your own machines:
  patchring init                              write a first inventory and playbook
  patchring doctor                            can every host be worked on?
  patchring plan playbooks/monthly.yaml       exactly what would change; installs nothing`, dir)
	return Ending{}, nil
}
