package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
)

// Sizes of the format.
const (
	dataKeySize = 32
	sopsNonce   = 32
)

// sopsShape is an encrypted value: AES-256-GCM with a nonce of 32 bytes, and what the text
// stands for.
var sopsShape = regexp.MustCompile(`^ENC\[AES256_GCM,data:([A-Za-z0-9+/=]*),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z]+)\]$`)

// sopsValue is a value in clear, as the MAC counts it.
type sopsValue struct{ text, kind string }

// openValue decrypts one value. It is bound to its place by additional data: the keys on
// its path, or the time of the file's last change for the MAC.
func openValue(text string, key []byte, place string) (sopsValue, error) {
	if text == "" { // an empty text is not encrypted
		return sopsValue{kind: "str"}, nil
	}
	parts := sopsShape.FindStringSubmatch(text)
	if parts == nil {
		return sopsValue{}, errors.New("a value that is not encrypted, but should be")
	}
	var raw [3][]byte
	for i := range raw {
		var err error
		if raw[i], err = base64.StdEncoding.DecodeString(parts[i+1]); err != nil {
			return sopsValue{}, errors.New("a value that is no base64")
		}
	}
	data, nonce, tag := raw[0], raw[1], raw[2]
	if len(nonce) != sopsNonce {
		return sopsValue{}, fmt.Errorf("a nonce of %d bytes", len(nonce))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sopsValue{}, fmt.Errorf("its data key: %w", err)
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, sopsNonce)
	if err != nil {
		return sopsValue{}, fmt.Errorf("its data key: %w", err)
	}
	opened, err := gcm.Open(nil, nonce, append(data, tag...), []byte(place))
	if err != nil {
		return sopsValue{}, errors.New("a value does not decrypt: it was changed, or moved here from another place")
	}
	canonical, err := canon(string(opened), parts[4])
	return sopsValue{canonical, parts[4]}, err
}

// canon writes a value as the MAC counts it.
func canon(text, kind string) (string, error) {
	switch kind {
	case "str", "bytes", "comment", "time":
		return text, nil
	case "int":
		return intText(text)
	case "float":
		return floatText(text)
	case "bool":
		return boolText(text)
	}
	return "", errors.New("a value of an unknown kind")
}

// plainText is a value that is not encrypted, as the MAC counts it.
func plainText(n document.Node) (string, error) {
	switch n.Tag {
	case "!!str":
		return n.Text, nil
	case "!!int":
		return intText(n.Text)
	case "!!float":
		return floatText(n.Text)
	case "!!bool":
		return boolText(n.Text)
	case "!!timestamp":
		return timeText(n.Text)
	}
	return "", fmt.Errorf("a value of the kind %s", n.Tag)
}

// timeText takes the forms in which YAML 1.1 writes a time.
func timeText(text string) (string, error) {
	for _, form := range []string{"2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00", "2006-1-2 15:4:5.999999999", "2006-1-2"} {
		if at, err := time.Parse(form, text); err == nil {
			return at.Format(time.RFC3339Nano), nil
		}
	}
	return "", errors.New("not a time")
}

func intText(text string) (string, error) {
	i, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 0, 64)
	if err != nil {
		return "", errors.New("not a whole number")
	}
	return strconv.FormatInt(i, 10), nil
}

func floatText(text string) (string, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", errors.New("not a number")
	}
	return strconv.FormatFloat(x, 'f', -1, 64), nil
}

func boolText(text string) (string, error) {
	yes, err := strconv.ParseBool(strings.ToLower(text))
	switch {
	case err != nil:
		return "", errors.New("neither true nor false")
	case yes:
		return "True", nil
	}
	return "False", nil
}
