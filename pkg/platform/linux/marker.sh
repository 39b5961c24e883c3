# The markers that open rollouts leave on a host: a file for each playbook and site.

# marker FILE: its line, and only the first bytes of it: ours are short.
marker() {
	if [ -h "$1" ] || [ ! -f "$1" ]; then echo odd
	else head -n 1 "$1" | head -c 4096; echo
	fi
}

# markers FOLDER [NAME]: how it stands, in one word, and then what each says, or the one.
markers() {
	if [ -h "$1" ] || [ -h "$1/open" ]; then echo odd
	elif [ ! -e "$1" ]; then echo absent
	elif [ ! -x "$1" ]; then echo hidden
	elif [ ! -e "$1/open" ]; then echo absent
	elif [ ! -d "$1/open" ]; then echo odd
	elif [ ! -r "$1/open" ] || [ ! -x "$1/open" ]; then echo hidden
	else
		echo there
		if [ $# -eq 1 ]; then
			# shellcheck disable=SC2012 # other names are none of ours
			ls -1 "$1/open" | while read -r name; do
				case $name in *[!0-9a-f]*) ;; *) marker "$1/open/$name" ;; esac
			done
		elif [ -e "$1/open/$2" ] || [ -h "$1/open/$2" ]; then marker "$1/open/$2"
		fi
	fi
	return 0
}
