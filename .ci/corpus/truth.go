package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
)

// recording is one file with what people agreed on of it.
type recording struct {
	folder, name string
	text         []byte
	rows         []map[string]document.Many[string]
}

// truth are the platforms that a folder's recordings may be of, and the columns that hold
// a fact. Where only some rows count, Rows says which.
type truth struct {
	platforms              []fact.Platform
	version, model, serial string
	rows                   string // column=pattern
}

// truths are by folder, or by folder and command.
func truths() map[string]truth {
	const chassis = "name=(?i)chassis|^1$|^Switch 1|^Rack 0$"
	return map[string]truth{
		"alcatel_aos":                         {platforms: []fact.Platform{"alcatel_aos"}},
		"allied_telesis_awplus":               {platforms: []fact.Platform{"allied_awplus"}, version: "version", serial: "serial", model: "hardware"},
		"arista_eos":                          {platforms: []fact.Platform{"arista_eos"}, version: "image", model: "model", serial: "serial_number"},
		"arista_eos/show_inventory":           {platforms: []fact.Platform{"arista_eos"}, model: "pid", serial: "sn", rows: "port=(?i)system|chassis|^$"},
		"arista_eos/show_boot-config":         {platforms: []fact.Platform{"arista_eos"}},
		"aruba_aoscx":                         {platforms: []fact.Platform{"aruba_aoscx"}, version: "version", serial: "serial"},
		"aruba_os":                            {platforms: []fact.Platform{"arubaos"}, serial: "system_serial", model: "sc_model"},
		"avaya_ers":                           {platforms: []fact.Platform{"avaya_ers"}, version: "operational_software", serial: "serial_number"},
		"avaya_vsp":                           {platforms: []fact.Platform{"extreme_voss"}, version: "primary_release"},
		"broadcom_icos":                       {platforms: []fact.Platform{"broadcom_icos"}, version: "version", model: "switch_model", serial: "serial"},
		"brocade_fastiron":                    {platforms: []fact.Platform{"ruckus_fastiron"}, version: "sw_version", model: "hw,model", serial: "serial"},
		"checkpoint_gaia":                     {platforms: []fact.Platform{"checkpoint_gaia"}, version: "version"},
		"checkpoint_gaia/show_asset_all":      {platforms: []fact.Platform{"checkpoint_gaia"}, model: "platform,model", serial: "serial"},
		"ciena_saos":                          {platforms: []fact.Platform{"ciena_saos"}, version: "version_running"},
		"cisco_asa":                           {platforms: []fact.Platform{"cisco_asa"}, version: "version", model: "hardware,model", serial: "serial"},
		"cisco_asa/show_inventory":            {platforms: []fact.Platform{"cisco_asa"}, model: "pid", serial: "sn", rows: chassis},
		"cisco_fxos":                          {platforms: []fact.Platform{"cisco_fxos"}, version: "version"},
		"cisco_ios":                           {platforms: []fact.Platform{"cisco_iosxe", "cisco_ios"}, version: "version,release", model: "hardware", serial: "serial"},
		"cisco_ios/show_inventory":            {platforms: []fact.Platform{"cisco_iosxe", "cisco_ios"}, model: "pid", serial: "sn", rows: chassis},
		"cisco_ios/show_boot":                 {platforms: []fact.Platform{"cisco_iosxe", "cisco_ios"}},
		"cisco_nvfis":                         {platforms: []fact.Platform{"cisco_nfvis"}, version: "version"},
		"cisco_nxos":                          {platforms: []fact.Platform{"cisco_nxos"}, version: "os", model: "platform", serial: "serial"},
		"cisco_nxos/show_inventory":           {platforms: []fact.Platform{"cisco_nxos"}, model: "pid", serial: "sn", rows: chassis},
		"cisco_s300":                          {platforms: []fact.Platform{"cisco_smb"}, version: "sw_version"},
		"cisco_s300/show_system_id":           {platforms: []fact.Platform{"cisco_smb"}, serial: "serial_number"},
		"cisco_wlc_ssh":                       {platforms: []fact.Platform{"cisco_aireos"}, version: "product_version"},
		"cisco_wlc_ssh/show_inventory":        {platforms: []fact.Platform{"cisco_aireos"}, model: "pid", serial: "sn"},
		"cisco_xr":                            {platforms: []fact.Platform{"cisco_xr"}, version: "version", model: "hardware,model,family"},
		"cisco_xr/show_inventory":             {platforms: []fact.Platform{"cisco_xr"}, model: "pid", serial: "sn", rows: chassis},
		"cisco_xr/admin_show_inventory":       {platforms: []fact.Platform{"cisco_xr"}, model: "pid", serial: "sn", rows: chassis},
		"dell_force10":                        {platforms: []fact.Platform{"dell_force10"}, version: "os_version", model: "device_type"},
		"edgecore":                            {platforms: []fact.Platform{"edgecore"}, version: "operation_code_version", serial: "serial"},
		"eltex":                               {platforms: []fact.Platform{"eltex"}, serial: "serial_number"},
		"ericsson_ipos":                       {platforms: []fact.Platform{"ericsson_ipos"}, version: "version"},
		"fortinet":                            {platforms: []fact.Platform{"fortinet_fortios", "fortinet_fmg", "fortinet_faz"}, version: "version", model: "version", serial: "serial_number"},
		"fsas_sir":                            {platforms: []fact.Platform{"fsas_sir"}, version: "version", serial: "serial", model: "system"},
		"hp_comware":                          {platforms: []fact.Platform{"hpe_comware"}, model: "device_name", serial: "device_serial_number"},
		"hp_procurve":                         {platforms: []fact.Platform{"aruba_aoss"}, version: "software_version", serial: "serial"},
		"huawei_ont":                          {platforms: []fact.Platform{"huawei_ont"}, version: "main_version", model: "model_name"},
		"huawei_smartax":                      {platforms: []fact.Platform{"huawei_smartax"}, version: "olt_version", model: "product"},
		"huawei_vrp":                          {platforms: []fact.Platform{"huawei_vrp"}, version: "vrp_version,product_version", model: "model"},
		"huawei_vrp/display_device":           {platforms: []fact.Platform{"huawei_vrp"}},
		"juniper_junos":                       {platforms: []fact.Platform{"junos"}, version: "junos_version", model: "model", serial: "serial_number"},
		"juniper_junos/show_chassis_hardware": {platforms: []fact.Platform{"junos"}, model: "chassis_description", serial: "chassis_serial_number"},
		"linux":                               {platforms: []fact.Platform{"linux"}, model: "system_product_name", serial: "system_serial_number"},
		"mikrotik_routeros":                   {platforms: []fact.Platform{"mikrotik_routeros"}, version: "version", model: "board_name"}, //nolint:misspell // the product's name
		"mikrotik_routeros/system_routerboard_print": {platforms: []fact.Platform{"mikrotik_routeros"}, model: "hardware_model,board_name", serial: "serial_number"}, //nolint:misspell // the product's name
		"oneaccess_oneos":     {platforms: []fact.Platform{"oneaccess_oneos"}, version: "version,software", serial: "serial"},
		"paloalto_panos":      {platforms: []fact.Platform{"paloalto_panos"}, version: "os", model: "model", serial: "serial"},
		"ruckus_fastiron":     {platforms: []fact.Platform{"ruckus_fastiron"}, version: "version", model: "hardware", serial: "serial"},
		"ubiquiti_edgerouter": {platforms: []fact.Platform{"ubiquiti_edgeos"}, version: "version", model: "hardware_model", serial: "serial_number"},
		"ubiquiti_edgeswitch": {platforms: []fact.Platform{"ubiquiti_edgeswitch"}, version: "version", model: "switch_model", serial: "serial"},
		"zte_zxros":           {platforms: []fact.Platform{"zte_zxros"}, version: "version", model: "hardware"},
	}
}

// recordings are all files of PLATFORM/COMMAND/NAME.raw that have a NAME.yml.
func recordings(root string) ([]recording, error) {
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*.raw"))
	if err != nil {
		return nil, fmt.Errorf("corpora: %w", err)
	}
	var list []recording
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("corpora: %w", err)
		}
		folder, _ := filepath.Rel(root, filepath.Dir(name))
		rows, _ := os.ReadFile(strings.TrimSuffix(name, ".raw") + ".yml")
		list = append(list, recording{folder: filepath.ToSlash(folder), name: filepath.Base(name), text: text, rows: agreed(rows)})
	}
	return list, nil
}

// agreed reads the rows, as far as they have the form that is looked at.
func agreed(src []byte) []map[string]document.Many[string] {
	var file struct {
		Rows []map[string]document.Many[string] `yaml:"parsed_sample"`
	}
	document.Decode("truth.yml", src, &file)
	return file.Rows
}

func truthOf(r recording) truth {
	all := truths()
	if t, ok := all[r.folder]; ok {
		return t
	}
	platform, _, _ := strings.Cut(r.folder, "/")
	return all[platform]
}

// right are all values that are right for a fact: of the columns, in the rows that count.
func (r recording) right(t truth, columns string) []string {
	if columns == "" {
		return nil
	}
	column, pattern, some := strings.Cut(t.rows, "=")
	var values []string
	for _, row := range r.rows {
		if some && !anyMatch(regexp.MustCompile(pattern), row[column].Items) {
			continue
		}
		for c := range strings.SplitSeq(columns, ",") {
			for _, v := range row[c].Items {
				if v = strings.TrimSpace(v); v != "" {
					values = append(values, v)
				}
			}
		}
	}
	return values
}

func anyMatch(re *regexp.Regexp, list []string) bool {
	return slices.ContainsFunc(list, re.MatchString) || len(list) == 0 && re.MatchString("")
}
