# What systems with rpm have in common, whether dnf or yum rules them.

rpm_versions() { rpm -q --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\tinstalled\n' "$@"; }

# What stands before the last dot of each line's first word: the package's name.
rpm_names() {
	text "$1" | head -n 12000 | while read -r first rest; do
		case $first in
		Obsoleting) break ;;
		*.*) printf '%s\n' "${first%.*}" ;;
		esac
	done
}
