package connect

import (
	"encoding/binary"
	"errors"
	"net"
)

// framed lets no empty packet through from a master's socket: x/crypto/ssh v0.58.0 takes
// one for a message without a type, and the panic is in a goroutine of its own (mux.go,
// onePacket). Each packet has four bytes of length before it.
type framed struct {
	net.Conn
	head []byte
	left uint32 // of the packet under way
}

// leastPacket is a padding length and a type.
const leastPacket = 2

var errEmptyPacket = errors.New("an empty packet")

// Read never goes beyond the packet, or the length, that is under way.
func (f *framed) Read(p []byte) (int, error) {
	if f.left > 0 {
		n, err := f.Conn.Read(p[:min(uint64(len(p)), uint64(f.left))])
		f.left -= uint32(n) //nolint:gosec // at most left
		return n, err
	}
	n, err := f.Conn.Read(p[:min(len(p), 4-len(f.head))])
	f.head = append(f.head, p[:n]...)
	if len(f.head) == 4 {
		f.left, f.head = binary.BigEndian.Uint32(f.head), nil
		if f.left < leastPacket {
			return 0, errEmptyPacket
		}
	}
	return n, err
}
