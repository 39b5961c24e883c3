# apt's detached jobs. See Manager, and jobs.sh for the variables.

# Without being told, dpkg asks about the admin's changed files, though nobody is there.
apt_quietly() {
	# shellcheck disable=SC2046 # words by way of the shell
	apt-get -q -y $(apt_way) -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Package files go to apt's own place too: where its lists still know the version, apt would
# rather fetch it than take the file that it is given.
apt_stage() {
	for word in "$@"; do
		case $word in /*) apt_put "$word" || return ;; esac
	done
	# shellcheck disable=SC2046
	apt_quietly --download-only -o Acquire::Retries=2 install "$@" $(apt_goes)
}
apt_put() {
	# shellcheck disable=SC2016 # fields of dpkg
	name=$(dpkg-deb -W --showformat='${Package}_${Version}_${Architecture}.deb' "$1") || return
	name=$(printf '%s\n' "$name" | sed 's/:/%3a/g')
	cp "$1" "/var/cache/apt/archives/partial/$name" && mv -f "/var/cache/apt/archives/partial/$name" "/var/cache/apt/archives/$name"
}

# One by one: apt-get fetches nothing at all when one of them can't be had.
apt_keep() {
	folder=$1 code=0
	shift
	cd "$folder" || return
	for word in "$@"; do
		apt_in "$folder" "$word" >/dev/null && continue
		if path=$(apt_in /var/cache/apt/archives "$word"); then
			cp "$path" "$folder/copy" && mv -f "$folder/copy" "$folder/${path##*/}" || code=1
		else
			apt-get -q -o Acquire::Retries=2 -o APT::Sandbox::User=root download "$word" || code=1
		fi
	done
	return "$code"
}

# Nothing is fetched: what was staged is installed, or nothing.
apt_install() {
	apt_exactly "$@" || return
	holds=$(apt-mark showhold) && auto=$(apt-mark showauto) || return
	code=0
	# shellcheck disable=SC2046
	apt_quietly --no-download install "$@" $(apt_goes) || code=$?
	apt_marks
	return "$code"
}

# apt_exactly WORDS…: refuses where apt would do more than these words say, because
# something has changed since it was asked.
apt_exactly() {
	plan=$(apt_simulate "$@") || {
		code=$?
		printf '%s\n' "$plan"
		return "$code"
	}
	planned=$(apt_planned "$@")
	more=$(printf '%s\n' "$plan" | grep -E '^(Inst|Remv|Purg) ' | while read -r verb name rest; do
		case $rest in "["*) rest=${rest#* } ;; esac
		version=${rest#"("}
		what="$name=${version%% *}"
		[ "$verb" = Inst ] || what="$name-"
		case "
$planned
" in *"
$what
"*) ;; *) printf ' %s' "$what" ;; esac
	done)
	[ -z "$more" ] && return 0
	echo "E: apt would now do more than was planned:$more; nothing was changed"
	return 100
}

# What the words name, as apt names it: "name=version" or "name-".
apt_planned() {
	native=$(dpkg --print-architecture)
	for word in "$@"; do
		case $word in
		/*) apt_deb "$word" | while read -r name arch version _; do
			case $arch in all | "$native") ;; *) name=$name:$arch ;; esac
			printf '%s=%s\n' "$name" "$version"
		done ;;
		*) printf '%s\n' "$word" ;;
		esac
	done
	for name in $remove; do printf '%s-\n' "$name"; done
}

# apt takes every package that it is told to install for one that a person wanted, and
# would never clean it up again; and it may lift a hold. What was so before stays so.
apt_marks() {
	lost=$(apt_lost "$auto" "$(apt-mark showauto)")
	# shellcheck disable=SC2086 # one word each
	lost=$([ -z "$lost$new" ] || apt_present $lost $new)
	# shellcheck disable=SC2086
	[ -z "$lost" ] || apt-mark auto $lost >/dev/null 2>&1 || say "could not mark as automatically installed:" $lost
	lost=$(apt_lost "$holds" "$(apt-mark showhold)")
	[ -n "$lost" ] || return 0
	# shellcheck disable=SC2086
	if apt-mark hold $lost >/dev/null 2>&1; then say "a hold was lifted meanwhile, and is set again:" $lost
	else say "could not hold again:" $lost; fi
}
# The lines of the first text that are not in the second.
apt_lost() { printf '%s\n%s\n%s\n' "$1" "$2" "$2" | sort | uniq -u | grep .; }

# Puts a cut transaction right, and changes no version: what would need more than that
# is for a person. apt-get waits for the lock, dpkg does not.
apt_repair() {
	apt-get -q -o DPkg::Lock::Timeout=600 check >/dev/null 2>&1
	dpkg --force-confdef --force-confold --configure -a || return
	plan=$(apt-get -s -y -o Debug::NoLocking=1 -f install) || {
		printf '%s\n' "$plan"
		return 100
	}
	more=$(printf '%s\n' "$plan" | grep -E '^(Inst|Remv|Purg) ')
	if [ -n "$more" ]; then
		printf '%s\n' "$more"
		echo "E: apt can put this right only by installing or removing packages; that is for a person: sudo apt-get -f install"
		return 100
	fi
	apt_quietly -f install
}
