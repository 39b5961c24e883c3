# Prints the SHA-256 of a file in hex, by whichever tool the host has.
# GNU and busybox: sha256sum; Perl: shasum; OpenSSL; the BSDs: sha256.
LC_ALL=C
export LC_ALL
sum_of() {
	if command -v sha256sum >/dev/null 2>&1; then
		sum=$(sha256sum "$1") || return 42
	elif command -v shasum >/dev/null 2>&1; then
		sum=$(shasum -a 256 "$1") || return 42
	elif command -v openssl >/dev/null 2>&1; then
		sum=$(openssl dgst -sha256 -r "$1") || return 42
	elif command -v sha256 >/dev/null 2>&1; then
		sum=$(sha256 -q "$1") || return 42
	else
		return 41
	fi
	sum=${sum#\\} # GNU marks a name that it had to escape
	printf '%s\n' "${sum%% *}"
}
# The temporary file never stays behind.
give_up() {
	rm -f "$1"
	exit "$2"
}
