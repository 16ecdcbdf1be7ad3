package index

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const encodeSource = `import {a as b} from './x'; export class A { #p = () => this.q; f(x: A): A { return x.f(b); } }`

func TestEncodeFile(t *testing.T) {
	lang := languageOf("a.ts", "")
	want := newFile("/w/a.ts", lang, []byte(encodeSource))
	want.modTime = 12345
	got := decodeFile("/w/a.ts", lang, encodeFile(want))
	if got == nil {
		t.Fatal("not decoded")
	}
	options := cmp.AllowUnexported(outline{}, occurrence{}, decl{}, hint{})
	if diff := cmp.Diff(want.outline, got.outline, options); diff != "" {
		t.Errorf("outline (-want +got):\n%s", diff)
	}
	got.outline, want.outline = nil, nil
	if *got != *want {
		t.Errorf("file %+v, want %+v", *got, *want)
	}
	blob := encodeFile(newFile("/w/a.ts", lang, []byte(encodeSource)))
	for i := range blob {
		blob[i] ^= 0x40
		if decodeFile("/w/a.ts", lang, blob) != nil {
			t.Errorf("a blob with byte %d changed is decoded", i)
		}
		blob[i] ^= 0x40
	}
}

// FuzzDecode: whatever a cache holds, decoding does not panic, and what it
// gives can be looked up.
func FuzzDecode(f *testing.F) {
	lang := languageOf("a.ts", "")
	f.Add(encodeFile(newFile("/w/a.ts", lang, []byte(encodeSource)))[4:])
	f.Add(encodeFile(newFile("/w/a.ts", lang, nil))[4:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		blob := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(payload))
		got := decodeFile("/w/a.ts", lang, append(blob, payload...))
		if got == nil || got.outline == nil {
			return
		}
		for i := range got.decls {
			got.symbol(i)
		}
		for i := range got.occs {
			got.at(int(got.occs[i].start))
			got.named(got.name(i))
			got.hint(i)
			got.enclosing(got.span(i))
		}
	})
}
