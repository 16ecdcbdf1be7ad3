package index

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index/lang"
)

const encodeSource = `import {a as b} from './x'; export class A { #p = () => this.q; f(x: A): A { return x.f(b); } }`

func TestEncodeFile(t *testing.T) {
	language := lang.Of("a.ts", "")
	want := newFile("/w/a.ts", language, []byte(encodeSource))
	want.modTime = 12345
	got := decodeFile("/w/a.ts", language, encodeFile(want))
	if got == nil {
		t.Fatal("not decoded")
	}
	options := cmp.AllowUnexported(outline{}, occurrence{}, decl{}, hint{})
	derived := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".useCount" || p.Last().String() == ".unused" }, cmp.Ignore())
	if diff := cmp.Diff(want.outline(), got.outline(), options, derived); diff != "" {
		t.Errorf("outline (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.symbols(), decodeFile("/w/a.ts", language, encodeFile(want)).symbols()); diff != "" {
		t.Errorf("symbols of the head alone (-want +got):\n%s", diff)
	}
	for i, sym := range want.symbols() {
		if diff := cmp.Diff(sym, decodeFile("/w/a.ts", language, encodeFile(want)).symbol(i)); diff != "" {
			t.Errorf("symbol %d alone (-want +got):\n%s", i, diff)
		}
	}
	got.packed = nil
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(file{}), cmp.Comparer(func(a, b *lang.Language) bool { return a == b }),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".unpacked" }, cmp.Ignore())); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	blob := encodeFile(newFile("/w/a.ts", language, []byte(encodeSource)))
	for i := range blob {
		blob[i] ^= 0x40
		if decodeFile("/w/a.ts", language, blob) != nil {
			t.Errorf("a blob with byte %d changed is decoded", i)
		}
		blob[i] ^= 0x40
	}
}

// FuzzDecode: whatever a cache holds, decoding does not panic, and what it
// gives can be looked up.
func FuzzDecode(f *testing.F) {
	language := lang.Of("a.ts", "")
	f.Add(encodeFile(newFile("/w/a.ts", language, []byte(encodeSource)))[4:])
	f.Add(encodeFile(newFile("/w/a.ts", language, nil))[4:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		blob := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(payload))
		got := decodeFile("/w/a.ts", language, append(blob, payload...))
		if got == nil || !got.isParsed() {
			return
		}
		for i := range got.outline().decls {
			got.symbol(i)
		}
		for i := range got.outline().occs {
			got.covering(int(got.outline().occs[i].start))
			got.named(got.name(i))
			got.hint(i)
			got.enclosing(got.span(i))
		}
	})
}
