package index

import "github.com/agentls/agentls/index/lang"

// skim returns what src seems to declare.
func skim(l *lang.Language, src []byte) *outline {
	s := &skimming{src: src, out: &outline{}, names: map[string]uint32{}}
	s.intern(nil)
	found, pkg := l.SkimText(src)
	s.out.pkg = pkg
	for i := range found {
		s.declare(&found[i])
	}
	s.out.group()
	return s.out
}

// A skimming makes an outline of what a lang.Skimmer found.
type skimming struct {
	src   []byte
	out   *outline
	names map[string]uint32
}

func (s *skimming) intern(name []byte) uint32 {
	if i, ok := s.names[string(name)]; ok {
		return i
	}
	own := string(name)
	s.names[own] = uint32(len(s.out.names))
	s.out.names = append(s.out.names, own)
	return s.names[own]
}

func (s *skimming) declare(found *lang.Skimmed) {
	occ := occurrence{start: uint32(found.At), name: s.intern(s.src[found.At:found.NameEnd]), flags: isDefinition}
	d := decl{
		start: uint32(found.Start), end: uint32(found.End), occ: uint32(len(s.out.occs)), name: occ.name, at: occ.start,
		container: s.intern(found.Container), parent: int32(found.Parent), kind: found.Kind, exported: s.src[found.At] != '_',
	}
	if found.Parent >= 0 {
		d.depth, d.container = s.out.decls[found.Parent].depth+1, s.qualified(found.Parent)
	}
	s.out.occs = append(s.out.occs, occ)
	s.out.decls = append(s.out.decls, d)
}

// qualified returns the name of decl i behind those around it.
func (s *skimming) qualified(i int) uint32 {
	d := s.out.decls[i]
	if d.container == 0 || d.depth >= maxContainers {
		return d.name
	}
	return s.intern([]byte(s.out.names[d.container] + "." + s.out.names[d.name]))
}
