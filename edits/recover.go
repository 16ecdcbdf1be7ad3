package edits

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// An Outcome says what became of a change that a crash cut off.
type Outcome string

// The outcomes.
const (
	RolledForward Outcome = "rolled forward" // every file was as planned
	RolledBack    Outcome = "rolled back"    // every file is as before
	LeftOver      Outcome = "left over"      // but for some files, which are the user's
)

// A Recovery is what Recover did about one entry.
type Recovery struct {
	Entry   *Entry     `json:"entry"` // as it is now; one that was rolled back wholly is gone
	Outcome Outcome    `json:"outcome"`
	Files   []Leftover `json:"files,omitempty"` // those of a LeftOver
}

// Recover settles every change that a crash cut off. Where all files are as
// planned the change stands; else those that are, are brought back. A file in
// neither state is the user's: it is reported and never written.
//
// The documents of Entry.Documents should be open in to again before, as far
// as they will be: only they know whether an editor made its part.
//
// An error says what could not be settled; that stays for the next time.
func (j *Journal) Recover(ctx context.Context, to Target) ([]Recovery, error) {
	open, err := j.Open(ctx)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	db, err := j.open(ctx)
	if err != nil {
		return nil, err
	}
	defer db.close()
	recs, err := db.unfinished()
	if err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	var out []Recovery
	var failures []error
	for _, rec := range recs {
		r, err := db.recover(ctx, to, rec)
		if err != nil {
			failures = append(failures, fmt.Errorf("recover %q: %w", rec.Title, err))
			continue
		}
		out = append(out, r)
	}
	db.sweepContents()
	return out, errors.Join(failures...)
}

// recover settles one record.
func (d *database) recover(ctx context.Context, to Target, rec *record) (Recovery, error) {
	t, err := d.interrupted(rec)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
		return d.giveUp(rec)
	}
	if err != nil {
		return Recovery{}, err
	}
	imgs := images(t.step)
	sweep(paths(imgs))
	planned, err := allPlanned(ctx, to, imgs)
	if err != nil {
		return Recovery{}, err
	}
	if planned {
		if err := d.commit(rec, t); err != nil {
			return Recovery{}, err
		}
		return Recovery{Entry: &rec.Entry, Outcome: RolledForward}, nil
	}
	left, err := d.rollback(ctx, to, rec, t)
	if err != nil {
		return Recovery{}, err
	}
	if len(left) > 0 {
		return Recovery{Entry: &rec.Entry, Outcome: LeftOver, Files: left}, nil
	}
	return Recovery{Entry: &rec.Entry, Outcome: RolledBack}, nil
}

// interrupted returns the transaction that a record was left in.
func (d *database) interrupted(rec *record) (*transaction, error) {
	if rec.Intent.Modes != nil {
		return d.interruptedPlan(rec)
	}
	step, err := d.readContents(rec.stepName())
	if err != nil {
		return nil, err
	}
	t := &transaction{kind: rec.Intent.Kind, step: step, change: step, hunks: rec.Intent.Hunks}
	if t.kind != applying {
		t.change, err = d.change(rec)
	}
	return t, err
}

// interruptedPlan is interrupted for a step that is the plan.
func (d *database) interruptedPlan(rec *record) (*transaction, error) {
	change, err := d.change(rec)
	if err != nil {
		return nil, err
	}
	t := &transaction{kind: rec.Intent.Kind, change: change, hunks: rec.Intent.Hunks, planned: true}
	t.step = t.plan().settled()
	if len(t.step.Files) != len(rec.Intent.Modes) {
		return nil, fmt.Errorf("%w: %s", errDamaged, rec.ID)
	}
	for i := range t.step.Files {
		t.step.Files[i].Was = rec.Intent.Modes[i]
	}
	return t, nil
}

// giveUp closes the intent of a record whose contents are lost. Nothing says
// what the files were: all of them are the user's.
func (d *database) giveUp(rec *record) (Recovery, error) {
	r := Recovery{Entry: &rec.Entry, Outcome: LeftOver}
	for _, f := range rec.Files {
		r.Files = append(r.Files, Leftover{Path: f.Path})
	}
	return r, d.remove(rec)
}

func paths(imgs []image) []string {
	var out []string
	for i := range imgs {
		out = append(out, imgs[i].path)
	}
	return out
}

// allPlanned reports whether every path holds its planned text, and has its
// mode. A torn one does not.
func allPlanned(ctx context.Context, to Target, imgs []image) (bool, error) {
	for i := range imgs {
		now, err := readNow(ctx, to, imgs[i].path)
		if err != nil {
			return false, err
		}
		if !same(now, imgs[i].planned) || !imgs[i].has(imgs[i].mode) {
			return false, nil
		}
	}
	return true, nil
}
