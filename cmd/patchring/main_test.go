package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// stubborn is a process that is stopped, and stopped again, and hangs.
const stubborn = "PATCHRING_TEST_STUBBORN"

// The first Ctrl-C stops, the second cancels, the third kills, and none of them waits
// for a terminal that takes nothing.
func TestThirdSignalKills(t *testing.T) {
	if os.Getenv(stubborn) != "" {
		hang()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestThirdSignalKills$")
	cmd.Env = append(os.Environ(), stubborn+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"ready", "stopped", "cancelled"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("it said %q instead of %q", lines.Text(), want)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if !ok {
		t.Fatal("it was not killed")
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v", exit)
	}
}

// hang is the stubborn process; its terminal is a pipe that nobody reads.
func hang() {
	_, nobody := io.Pipe()
	ctx, stop, _ := interruptible(context.Background(), nobody)
	fmt.Println("ready")
	<-stop
	fmt.Println("stopped")
	<-ctx.Done()
	fmt.Println("cancelled")
	<-time.After(time.Minute)
	os.Exit(3)
}
