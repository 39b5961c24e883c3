# Receives a file on standard input into $1, readable by its owner only.
: >"$1" || exit 40
chmod 600 "$1" || give_up "$1" 40
cat >"$1" || give_up "$1" 40
