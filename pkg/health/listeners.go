package health

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// socket is one listening socket. A zero address is all addresses.
type socket struct {
	proto string // tcp, udp
	addr  netip.Addr
	any   bool // all addresses, of both families: "*"
	port  int
}

func (s socket) String() string {
	if s.any {
		return "*:" + strconv.Itoa(s.port)
	}
	return netip.AddrPortFrom(s.addr, uint16(s.port)).String() //nolint:gosec // checked when parsed
}

// serves tells whether a connection to this address of the host reaches the socket.
func (s socket) serves(host string) bool {
	if host == "localhost" {
		return s.serves("127.0.0.1") || s.serves("::1")
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case s.any:
		return true
	case err != nil:
		return s.addr.IsUnspecified() // the host's name: which address it is, only all of them are sure to be
	case s.addr.IsUnspecified():
		return s.addr.Is6() || addr.Is4() // [::] takes both families unless told otherwise
	}
	return s.addr.Unmap() == addr.Unmap()
}

// The kernel's default of the ports that are handed out at random.
const (
	lowRandom  = 32768
	highRandom = 60999
)

// passing are addresses and ports that come and go by themselves. A TCP port never
// does: who listens there is a service, whatever its number. A UDP socket on a port
// handed out at random is mostly a client's. Many hosts hand out "1024 65535", where
// known services live, so that only what the kernel's default has of it counts.
//
// What noise remains: a TCP service that lets the kernel choose its port (rpc.statd,
// rpc.mountd and lockd of NFS 3, unless told a port) moves when it starts again, and a
// UDP client on a port outside the default is gone later. Neither comes back, however
// often a check asks; what is only slow to start does, while the check's "within" lasts.
func (s socket) passing(low, high int) bool {
	low, high = max(low, lowRandom), min(high, highRandom)
	client := s.port == 68 || s.port == 546 || s.port >= low && s.port <= high // DHCP's, or anybody's
	return s.addr.IsLinkLocalUnicast() || s.proto == "udp" && client
}

// parseSockets reads what the script's listeners printed: a line with the range of
// ports that are handed out at random, then ss's or the kernel's own table.
func parseSockets(out []byte) ([]socket, error) {
	_, table, _ := bytes.Cut(out, []byte("\n"))
	var sockets []socket
	inHex, read := false, false
	for line := range bytes.Lines(table) {
		words := strings.Fields(string(line))
		switch {
		case len(words) == 0:
		case words[0] == "Netid" || words[0] == "hex":
			inHex, read = words[0] == "hex", true
		case !read:
			return nil, errors.New("unexpected line")
		case inHex:
			s, err := parseHex(words)
			if err != nil {
				return nil, err
			}
			sockets = append(sockets, s)
		default:
			s, ok, err := parseSS(words)
			if err != nil {
				return nil, err
			}
			if ok {
				sockets = append(sockets, s)
			}
		}
	}
	if !read {
		return nil, errors.New("there is no table")
	}
	return sockets, nil
}

// portRange reads the first line, e.g. "32768\t60999".
func portRange(out []byte) (low, high int) {
	line, _, _ := bytes.Cut(out, []byte("\n"))
	if _, err := fmt.Sscan(string(line), &low, &high); err != nil || low > high {
		return lowRandom, highRandom
	}
	return low, high
}

// parseSS reads "tcp LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:* …". Other kinds of
// sockets are skipped.
func parseSS(words []string) (s socket, ok bool, err error) {
	if words[0] != "tcp" && words[0] != "udp" {
		return s, false, nil
	}
	if len(words) < 5 {
		return s, false, errors.New("unexpected line")
	}
	local := words[4]
	colon := strings.LastIndexByte(local, ':')
	if colon < 0 {
		return s, false, errors.New("unexpected address")
	}
	s.proto = words[0]
	if s.port, err = parsePort(local[colon+1:], 10); err != nil {
		return s, false, err
	}
	host := strings.NewReplacer("[", "", "]", "").Replace(local[:colon])
	host, _, _ = strings.Cut(host, "%") // the interface
	if s.any = host == "*"; s.any {
		return s, true, nil
	}
	s.addr, err = netip.ParseAddr(host)
	return s, true, err
}

// parseHex reads a line of /proc/net/tcp or tcp6: "0: 0100007F:0035 00000000:0000
// 0A …". The address is in the machine's byte order, by words of four bytes; all
// machines that we know of are little-endian, but for s390x, which has ss.
func parseHex(words []string) (socket, error) {
	if len(words) < 4 {
		return socket{}, errors.New("unexpected line")
	}
	host, port, _ := strings.Cut(words[1], ":")
	raw, err := hex.DecodeString(host)
	if err != nil || len(raw) != 4 && len(raw) != 16 {
		return socket{}, errors.New("unexpected address")
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	s := socket{proto: "tcp"}
	s.addr, _ = netip.AddrFromSlice(raw)
	s.port, err = parsePort(port, 16)
	return s, err
}

func parsePort(text string, base int) (int, error) {
	port, err := strconv.ParseUint(text, base, 16)
	if err != nil {
		return 0, errors.New("unexpected port")
	}
	return int(port), nil
}
