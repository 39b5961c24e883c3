# What systems with rpm have in common, whether dnf or yum rules them.

# rpm's exit status is how many of these are not installed, which is an answer: 1. Less
# than a line for each is none.
rpm_versions() {
	there=$(rpm -q --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\tinstalled\n' "$@")
	text "$there"
	[ "$(text "$there" | grep -c .)" -ge $# ] || return 2
	case $there in *" is not installed"*) return 1 ;; esac
}

# What stands before the last dot of each line's first word: the package's name.
rpm_names() {
	text "$1" | head -n 12000 | while read -r first rest; do
		case $first in
		Obsoleting) break ;;
		*.*) printf '%s\n' "${first%.*}" ;;
		esac
	done
}
