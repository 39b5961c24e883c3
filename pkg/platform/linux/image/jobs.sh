# rpm-ostree's detached jobs. See Manager, and jobs.sh for the variables.

# ostree_lies WORD: this image is here already.
ostree_lies() { ostree_here | grep -q -e " ${1##*_}\$"; }
ostree_next() { ostree_here | head -n 1; }

ostree_stage() {
	for word in "$@"; do
		ostree_lies "$word" || rpm-ostree deploy --download-only "${word##*_}" </dev/null || return
	done
}

# The image that goes stays beside the new one by itself.
ostree_keep() { :; }

# ostree_booted WORD: it runs.
ostree_booted() {
	rpm-ostree status --booted --json | ostree_fields '      ' | grep -q -e " ${1##*_}\$"
}

# On the way back, what waits for the next boot is dropped, or the former image comes first
# again: both without a download.
ostree_install() {
	word=$1 sum=${1##*_}
	case $(ostree_next) in *" $sum") echo "the next boot starts it already"; return 0 ;; esac
	if [ "$back" = yes ] && ostree_booted "$word"; then
		rpm-ostree cleanup --pending </dev/null || return
	elif [ "$back" = yes ] && ostree_here | tail -n +2 | head -n 1 | grep -q -e " $sum\$"; then
		rpm-ostree rollback </dev/null || return
	else
		rpm-ostree deploy "$sum" </dev/null || return
	fi
	case $(ostree_next) in *" $sum") return 0 ;; esac
	echo "error: the next boot would start something else: $(ostree_next)"
	return 1
}

# A cut transaction of rpm-ostree leaves nothing behind.
ostree_repair() { :; }
