package farm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// spawned is set in the environment of a process that shall be a farm.
const spawned = "PATCHRING_FARM"

// Main turns a process that Spawn started into a farm, for as long as that one lives;
// false in any other process. Call it in TestMain: if !farm.Main() { m.Run() }.
func Main(ctx context.Context) bool {
	if os.Getenv(spawned) == "" {
		return false
	}
	if err := serve(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "farm:", err)
	}
	return true
}

// serve reads a Config, writes the Directory, and runs until its input ends: so it
// dies with the process that spawned it.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	line, err := reader.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c Config
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	f, err := Start(ctx, c)
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
func Spawn(ctx context.Context, c Config) (Directory, func() error, error) {
	cmd := exec.CommandContext(ctx, os.Args[0])
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
