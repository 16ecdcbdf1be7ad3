package edits

import "slices"

// Clone returns a copy of cs whose states can be set without setting those of
// cs. Contents are shared.
func (cs *ChangeSet) Clone() *ChangeSet {
	out := *cs
	out.Files = slices.Clone(cs.Files)
	for i := range out.Files {
		out.Files[i].Hunks = slices.Clone(out.Files[i].Hunks)
	}
	return &out
}
