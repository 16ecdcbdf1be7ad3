package index

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"unsafe"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// A segment is a base as one file that is mapped into memory, so that a start
// reads what it needs and no more. It can be thrown away at any time: the cache
// is the truth, and a segment counts only if it was made of what the cache
// holds now.
//
// It begins with a segmentHead, then its sections follow, each at a multiple of
// eight bytes, as they lie in the memory of this architecture. The memory stays
// mapped until the process ends, because strings point into it.
const segmentName = "index.segment"

// The sections of a segment.
const (
	sectionFiles    = iota // segmentFile
	sectionPaths           // text
	sectionOutlines        // packed
	sectionNames           // the rest is a directory
	sectionEnds
	sectionMasks
	sectionDeclaredFrom
	sectionDeclared
	sectionMentionedFrom
	sectionMentioned
	sections
)

type segmentHead struct {
	magic      [16]byte
	generation uint64 // of the cache
	ends       [sections]uint64
	check      uint64 // of all above
}

// segmentMagic changes with the format, as cacheFormat does, which it holds.
func segmentMagic() (magic [16]byte) {
	copy(magic[:], cacheFormat+"/2/"+runtime.GOARCH)
	return magic
}

func (h *segmentHead) sum() uint64 {
	raw := bytesOf([]segmentHead{*h})
	return uint64(crc32.ChecksumIEEE(raw[:unsafe.Offsetof(h.check)]))
}

// A segmentFile is a file without its path and outline.
type segmentFile struct {
	size, modTime, lines  int64
	hash                  text.Hash
	outlineEnd            uint64
	pathEnd               uint32
	symbolCount, useCount uint32
	language              uint8 // 1 + index in lang.All; 0 is none
	skipped               skip
	parsed                uint8 // 1: it has an outline
	_                     uint8
}

// bytesOf returns the memory of s.
func bytesOf[T any](s []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero)))
}

// sliceOf returns b, which is aligned, as values.
func sliceOf[T any](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// writeSegment writes b to dir, all or nothing.
func writeSegment(dir string, b *base, generation uint64) error {
	parts := segmentParts(b)
	head := segmentHead{magic: segmentMagic(), generation: generation}
	end := uint64(unsafe.Sizeof(head))
	for i, part := range parts {
		end = aligned(end) + part.size()
		head.ends[i] = end
	}
	head.check = head.sum()
	f, err := os.CreateTemp(dir, segmentName+".*")
	if err != nil {
		return err
	}
	err = errors.Join(writeParts(f, &head, parts), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, segmentName)) //nolint:forbidigo // the cache is this package's own
	}
	if err != nil {
		_ = os.Remove(f.Name()) //nolint:forbidigo // the cache is this package's own
		return fmt.Errorf("write the index segment: %w", err)
	}
	return nil
}

func aligned(n uint64) uint64 { return (n + 7) &^ 7 }

// A part is a section in pieces, so that outlines need not be copied to lie one
// behind the other: together they are the largest thing there is.
type part [][]byte

func (p part) size() (total uint64) {
	for _, piece := range p {
		total += uint64(len(piece))
	}
	return total
}

func writeParts(f *os.File, head *segmentHead, parts [sections]part) error {
	out := bufio.NewWriterSize(f, 1<<20) // it keeps its first error for Flush
	at := uint64(unsafe.Sizeof(*head))
	_, _ = out.Write(bytesOf([]segmentHead{*head}))
	for _, part := range parts {
		_, _ = out.Write(make([]byte, aligned(at)-at))
		for _, piece := range part {
			_, _ = out.Write(piece)
		}
		at = aligned(at) + part.size()
	}
	return out.Flush()
}

func segmentParts(b *base) (parts [sections]part) {
	files := make([]segmentFile, len(b.files))
	outlines := make(part, len(b.files))
	var paths []byte
	end := uint64(0)
	for i, f := range b.files {
		paths = append(paths, f.path...)
		outlines[i] = f.packed
		end += uint64(len(f.packed))
		files[i] = segmentFile{
			size: f.size, modTime: f.modTime, lines: f.lines, hash: f.hash, outlineEnd: end, pathEnd: uint32(len(paths)),
			symbolCount: uint32(f.symbolCount), useCount: uint32(f.useCount), skipped: f.skipped,
			language: uint8(slices.Index(lang.All, f.lang) + 1),
		}
		if f.packed != nil {
			files[i].parsed = 1
		}
	}
	d := b.directory()
	return [sections]part{
		{bytesOf(files)},
		{paths},
		outlines,
		{[]byte(d.text)},
		{bytesOf(d.ends)},
		{bytesOf(d.masks)},
		{bytesOf(d.declared.from)},
		{bytesOf(d.declared.all)},
		{bytesOf(d.mentioned.from)},
		{bytesOf(d.mentioned.all)},
	}
}

var errNoSegment = errors.New("there is no segment of this generation")

// openSegment returns the base in dir that was made of that generation of the
// cache.
func openSegment(dir string, generation uint64) (*base, error) {
	mapped, err := mapFile(filepath.Join(dir, segmentName))
	if err != nil {
		return nil, err
	}
	head, ok := headOf(mapped)
	if !ok || head.generation != generation {
		unmapFile(mapped)
		return nil, errNoSegment
	}
	return mappedBase(mapped, head), nil
}

// headOf returns the head of a segment, if it is one and whole.
func headOf(mapped []byte) (head segmentHead, ok bool) {
	if len(mapped) < int(unsafe.Sizeof(head)) {
		return head, false
	}
	head = sliceOf[segmentHead](mapped[:unsafe.Sizeof(head)])[0]
	return head, head.magic == segmentMagic() && head.check == head.sum() && head.ends[sections-1] == uint64(len(mapped))
}

func mappedBase(mapped []byte, head segmentHead) *base {
	var parts [sections][]byte
	at := uint64(unsafe.Sizeof(head))
	for i, end := range head.ends {
		parts[i] = mapped[aligned(at):end:end]
		at = end
	}
	b := &base{files: segmentFiles(parts[sectionFiles], parts[sectionPaths], parts[sectionOutlines])}
	b.once.Do(func() {
		b.lookup = &directory{
			text: stringOf(parts[sectionNames]), ends: sliceOf[uint32](parts[sectionEnds]), masks: sliceOf[uint64](parts[sectionMasks]),
			declared:  table[declRef]{sliceOf[uint32](parts[sectionDeclaredFrom]), sliceOf[declRef](parts[sectionDeclared])},
			mentioned: table[uint32]{sliceOf[uint32](parts[sectionMentionedFrom]), sliceOf[uint32](parts[sectionMentioned])},
		}
	})
	return b
}

// stringOf returns b, which never changes, as a string.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func segmentFiles(records, paths, outlines []byte) []*file {
	stored := sliceOf[segmentFile](records)
	files, pointers := make([]file, len(stored)), make([]*file, len(stored))
	path, outline := uint32(0), uint64(0)
	for i := range stored {
		s, f := &stored[i], &files[i]
		f.path, f.size, f.lines, f.modTime, f.hash = stringOf(paths[path:s.pathEnd]), s.size, s.lines, s.modTime, s.hash
		f.skipped, f.symbolCount, f.useCount = s.skipped, int(s.symbolCount), int(s.useCount)
		if s.language > 0 {
			f.lang = lang.All[s.language-1]
		}
		if s.parsed != 0 {
			f.packed = outlines[outline:s.outlineEnd:s.outlineEnd]
		}
		path, outline, pointers[i] = s.pathEnd, s.outlineEnd, f
	}
	return pointers
}
