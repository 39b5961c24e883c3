#!/bin/sh
# For each line of two versions, what the command given says of them; nothing
# said, or a failure, is "refused".
tab=$(printf '\t')
while IFS=$tab read -r a b; do
	said=$("$@" "$a" "$b" 2>/dev/null) || said=
	echo "${said:-refused}"
done
