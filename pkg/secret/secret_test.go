package secret_test

import (
	"bytes"
	"database/sql/driver"
	"encoding"
	"encoding/base64"
	"encoding/csv"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"expvar"
	"fmt"
	htmltemplate "html/template"
	"io"
	"log"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/patchring/patchring/pkg/secret"
)

const planted = "hunter2-planted"

// holder has a secret wherever a struct can have one.
type holder struct {
	S secret.Secret
	P *secret.Secret
	M map[string]secret.Secret `xml:"-"`
	L []secret.Secret
	A any
}

func held() holder {
	s := secret.New(planted)
	return holder{S: s, P: &s, M: map[string]secret.Secret{"a": s}, L: []secret.Secret{s}, A: s}
}

// Every road from a value to text that the standard library knows.
func TestSecretShowsItselfToNoFormat(t *testing.T) {
	for name, road := range roads() {
		var out bytes.Buffer
		if err := road(&out, secret.New(planted), held()); err != nil {
			fmt.Fprint(&out, err) // a refusal is good as well, if it says nothing
		}
		if text := out.String(); leaks(text) {
			t.Errorf("%s: the secret got out:\n%s", name, text)
		} else if text == "" {
			t.Errorf("%s: nothing was written: it shows nothing", name)
		}
	}
	if secret.New(planted).Reveal() != planted {
		t.Fatal("Reveal must give the value")
	}
}

func leaks(text string) bool {
	encoded := base64.StdEncoding.EncodeToString([]byte(planted))
	return strings.Contains(text, planted) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", planted)) || strings.Contains(text, encoded) ||
		strings.Contains(text, strings.Trim(fmt.Sprintf("%d", []byte(planted)), "[]"))
}

type road func(io.Writer, secret.Secret, holder) error

func roads() map[string]road {
	return map[string]road{
		"fmt": func(w io.Writer, s secret.Secret, h holder) error {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%p", "%c", "%U", "%e", "%w", "%y", "%*d"} {
				fmt.Fprintf(w, verb, s)
				fmt.Fprintf(w, verb, h)
				fmt.Fprintf(w, verb, &h)
			}
			return nil
		},
		"errors": func(_ io.Writer, s secret.Secret, h holder) error {
			return errors.Join(fmt.Errorf("a %v: %w", s, io.EOF), fmt.Errorf("b %+v", h), fmt.Errorf("c %w", errors.New(s.String())))
		},
		"json": func(w io.Writer, _ secret.Secret, h holder) error { return json.NewEncoder(w).Encode(h) },
		"xml": func(w io.Writer, s secret.Secret, h holder) error {
			return errors.Join(xml.NewEncoder(w).Encode(s), xml.NewEncoder(w).Encode(h))
		},
		"gob": func(w io.Writer, s secret.Secret, h holder) error {
			gob.Register(secret.Secret{})
			return errors.Join(gob.NewEncoder(w).Encode(s), gob.NewEncoder(w).Encode(h))
		},
		"binary": func(w io.Writer, s secret.Secret, _ holder) error {
			raw, err := encoding.BinaryMarshaler(s).MarshalBinary()
			fmt.Fprintf(w, "%s", raw)
			return err
		},
		"csv": func(w io.Writer, s secret.Secret, _ holder) error {
			c := csv.NewWriter(w)
			err := c.Write([]string{s.String(), fmt.Sprintf("%s|%v", s, s)})
			c.Flush()
			return err
		},
		"slog text": func(w io.Writer, s secret.Secret, h holder) error {
			slog.New(slog.NewTextHandler(w, nil)).Info("x", "s", s, "h", h, slog.Group("g", "s", &s))
			return nil
		},
		"slog json": func(w io.Writer, s secret.Secret, h holder) error {
			slog.New(slog.NewJSONHandler(w, nil)).Info("x", "s", s, "h", h, slog.Group("g", "s", &s))
			return nil
		},
		"log": func(w io.Writer, s secret.Secret, h holder) error {
			log.New(w, "", 0).Println(s, h, &h)
			return nil
		},
		"text/template": func(w io.Writer, _ secret.Secret, h holder) error {
			const text = `{{.}} {{.S}} {{.P}} {{.M}} {{.L}} {{printf "%x %q %v" .S .S .A}} {{js .S}} {{urlquery .S}} {{html .S}} {{len .L}}`
			return template.Must(template.New("").Parse(text)).Execute(w, h)
		},
		"html/template": func(w io.Writer, _ secret.Secret, h holder) error {
			const text = `<a href="/?q={{.S}}" title="{{.P}}">{{.M}}</a><script>var x = {{.S}}; var y = {{.}}</script>`
			return htmltemplate.Must(htmltemplate.New("").Parse(text)).Execute(w, h)
		},
		"sql": func(w io.Writer, s secret.Secret, _ holder) error {
			v, err := driver.DefaultParameterConverter.ConvertValue(s)
			fmt.Fprint(w, v)
			return err
		},
		"expvar": func(w io.Writer, s secret.Secret, h holder) error {
			_, err := fmt.Fprint(w, expvar.Func(func() any { return []any{s, h} }).String())
			return err
		},
		"panic": func(w io.Writer, s secret.Secret, _ holder) (err error) {
			defer func() { fmt.Fprint(w, recover()) }()
			panic(s)
		},
		"reflection": func(w io.Writer, _ secret.Secret, h holder) error {
			walk(w, reflect.ValueOf(h), 0)
			return nil
		},
	}
}

// walk is a printer that looks into unexported fields, as debuggers' dumpers do.
func walk(w io.Writer, v reflect.Value, depth int) {
	fmt.Fprintln(w, v.Kind())
	if depth > 10 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(w, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			walk(w, field, depth+1)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(w, v.MapIndex(k), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walk(w, v.Index(i), depth+1)
		}
	case reflect.String:
		fmt.Fprintln(w, v.String())
	default:
	}
}

func TestEmptySecretIsNotNoSecret(t *testing.T) {
	if (secret.Secret{}).Set() || (secret.Secret{}).Reveal() != "" {
		t.Error("the zero Secret must be absent")
	}
	if !secret.New("").Set() {
		t.Error("an empty passphrase is a secret")
	}
}

func TestParseRef(t *testing.T) {
	shape := regexp.MustCompile(secret.Pattern())
	for _, good := range []string{
		"env:DB_PASS", "file:/run/secrets/x", "exec:pass show web/root", "prompt", "keyring:patchring/web", "age:secrets/a.age",
		"sops:secrets.yaml#db.password", "ansible-vault:group_vars/all/vault.yml#root_password",
	} {
		ref, err := secret.ParseRef(good)
		if err != nil || ref.String() != good || !shape.MatchString(good) {
			t.Errorf("ParseRef(%q) = %q, %v", good, ref, err)
		}
	}
	for _, bad := range []string{"", planted, "env:", "https://" + planted, "prompt:" + planted, "ENV:" + planted, ":" + planted, "vault:" + planted} {
		_, err := secret.ParseRef(bad)
		if err == nil || shape.MatchString(bad) {
			t.Errorf("ParseRef(%q) must fail", bad)
			continue
		}
		if strings.Contains(err.Error(), planted) || !strings.Contains(err.Error(), secret.Forms()) {
			t.Errorf("the error repeats what may be a password, or says not what to write: %v", err)
		}
	}
}
