package farm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// spawned is set in the environment of a process that shall be a farm.
const spawned = "PATCHRING_FARM"

// Main turns a process that Spawn started into a farm, and never returns then. Call
// it first in TestMain.
func Main() {
	if os.Getenv(spawned) == "" {
		return
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "farm:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve reads a Config, writes the Directory, and runs until its input ends: so it
// dies with the process that spawned it.
func serve(in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	line, err := reader.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c Config
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	f, err := Start(c)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := json.NewEncoder(out).Encode(f.Directory); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, reader)
	return err
}

// Spawn starts a farm as another process of this test binary, whose TestMain calls
// Main. The returned function stops it.
func Spawn(c Config) (Directory, func() error, error) {
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), spawned+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return Directory{}, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Directory{}, nil, err
	}
	if err := cmd.Start(); err != nil {
		return Directory{}, nil, err
	}
	stop := func() error {
		_ = in.Close()
		return cmd.Wait()
	}
	var d Directory
	if err = json.NewEncoder(in).Encode(c); err == nil {
		err = json.NewDecoder(out).Decode(&d)
	}
	if err != nil {
		return Directory{}, nil, errors.Join(fmt.Errorf("the farm did not start: %w", err), stop())
	}
	return d, stop, nil
}
