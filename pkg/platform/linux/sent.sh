# Makes the folders of the files that are sent to the host, from the uppermost on.

main() { private "$@"; }

main "$@"
