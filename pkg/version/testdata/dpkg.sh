#!/bin/sh
# For each line of two versions, the relation that dpkg finds between them;
# "refused" where dpkg warns.
tab=$(printf '\t')
while IFS=$tab read -r a b; do
	said=refused
	for relation in lt eq gt; do
		warning=$(dpkg --compare-versions "$a" "$relation" "$b" 2>&1) && said=$relation
		[ -z "$warning" ] || said=refused
		[ "$said$warning" = refused ] || break
	done
	echo "$said"
done
