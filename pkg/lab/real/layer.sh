# Builds what one system has on top of Debian, as an overlay's upper folder. It runs
# in namespaces of its own; its mounts end with it. Arguments: the Debian base, the
# folder to build in, the line of the package source, the packages. The script that
# makes Debian look like the other system is in PRLAB_CUSTOMIZE.
base=$1
building=$2
line=$3
shift 3
mkdir -p "$building/upper" "$building/work" "$building/root"
mount -t overlay lab -o "lowerdir=$base,upperdir=$building/upper,workdir=$building/work" "$building/root"
cd "$building/root" || exit
mount -t proc proc proc
mount --rbind /dev dev
cp etc/resolv.conf /run/resolv.conf.base
cat /etc/resolv.conf >etc/resolv.conf
echo "$line" >etc/apt/sources.list
in_root() { chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C NEEDRESTART_SUSPEND=1 DEBIAN_FRONTEND=noninteractive "$@"; }
in_root apt-get -q=2 update
in_root apt-get -q=2 install --yes --no-install-recommends "$@"
in_root apt-get clean
rm -rf var/lib/apt/lists/* etc/apt/sources.list
cat /run/resolv.conf.base >etc/resolv.conf
in_root sh -eu -c "$PRLAB_CUSTOMIZE"
