# Makes Debian with pacman look like Arch Linux.
cat >/usr/lib/os-release <<'END'
NAME="Arch Linux"
PRETTY_NAME="Arch Linux"
ID=arch
BUILD_ID=rolling
ANSI_COLOR="38;2;23;147;209"
HOME_URL="https://archlinux.org/"
END
: >/etc/arch-release
mkdir -p /var/lib/pacman /var/cache/pacman/pkg /etc/pacman.d
# Debian leaves pacman's own comparison out. This is its library's, not a copy.
cat >/usr/bin/vercmp <<'END'
#!/usr/bin/python3
import ctypes, ctypes.util, sys
compare = ctypes.CDLL(ctypes.util.find_library("alpm") or "libalpm.so.13").alpm_pkg_vercmp
print(compare(sys.argv[1].encode(), sys.argv[2].encode()))
END
chmod 755 /usr/bin/vercmp
