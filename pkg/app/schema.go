package app

import (
	"fmt"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/playbook"
)

// Schema prints the JSON Schema of "inventory", "playbook" or "platform".
func (e Env) Schema(of string) error {
	var raw []byte
	switch of {
	case "inventory":
		raw = inventory.Schema()
	case "playbook":
		raw = playbook.Schema()
	case "platform":
		raw = device.Schema()
	default:
		return fault.Usagef("patchring schema inventory, playbook or platform", "no schema %q", of)
	}
	if _, err := fmt.Fprintf(e.Out, "%s\n", raw); err != nil {
		return fmt.Errorf("print the schema: %w", err)
	}
	return nil
}

// ShowVersion prints which build this is.
func (e Env) ShowVersion(o Options) error {
	var err error
	if o.JSON {
		_, err = fmt.Fprintf(e.Out, "{\"version\":1,\"kind\":\"version\",\"patchring\":%q}\n", e.Version)
	} else {
		_, err = fmt.Fprintln(e.Out, "patchring", e.Version)
	}
	if err != nil {
		return fmt.Errorf("print the version: %w", err)
	}
	return nil
}
