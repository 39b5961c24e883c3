package posix

import (
	"context"
	"maps"
	"slices"
)

// Tools are the core utilities by name.
func Tools() map[string]Tool {
	all := map[string]Tool{}
	for _, some := range []map[string]Tool{fileTools(), textTools(), processTools()} {
		maps.Copy(all, some)
	}
	return all
}

// Names lists tools, sorted.
func Names(tools map[string]Tool) []string { return slices.Sorted(maps.Keys(tools)) }

func fileTools() map[string]Tool {
	return map[string]Tool{
		"cat": cat, "mkdir": mkdir, "rmdir": rmdir, "rm": rm, "mv": mv, "cp": cp, "ls": ls, "chmod": chmod, "chown": chown,
		"touch": touch, "ln": ln, "readlink": readlink, "realpath": readlink, "stat": stat, "mktemp": mktemp, "tee": tee,
		"find": find, "sha256sum": checksum, "md5sum": checksum, "sync": quiet(0), "install": install,
	}
}

func textTools() map[string]Tool {
	return map[string]Tool{
		"head": head, "tail": tail, "wc": wc, "tr": tr, "cut": cut, "grep": grep, "sort": sortLines, "uniq": uniq, "sed": sed,
		"dirname": dirname, "basename": basename, "echo": echo, "seq": seq, "base64": base64Tool,
	}
}

func processTools() map[string]Tool {
	return map[string]Tool{
		"true": quiet(0), "false": quiet(1), "env": env, "sleep": sleep, "date": date, "id": id, "whoami": whoami, "tty": tty,
		"timeout": timeout, "setsid": setsid, "nohup": nohup, "nice": nice, "ionice": nice, "stdbuf": nice, "sh": shell, "test": test, "[": test,
		"xargs": xargs, "printf": inShell, "pwd": pwd,
	}
}

func quiet(code int) Tool {
	return func(context.Context, *Proc, []string) int { return code }
}
