package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/remote"
)

// The buckets of the store.
var (
	tasksBucket        = []byte("tasks")        // ID to taskRecord
	orderBucket        = []byte("order")        // number to ID, in the order of creation
	keysBucket         = []byte("keys")         // Spec.Key to ID
	eventsBucket       = []byte("events")       // ID to a bucket: number to remote.Event
	fencesBucket       = []byte("fences")       // attempt to its highest fence
	resultsBucket      = []byte("results")      // attempt and fence to remote.Result
	environmentsBucket = []byte("environments") // name to remote.Environment
)

// What the store answers.
var (
	errNoTask        = errors.New("there is no such task")
	errNoEnvironment = errors.New("there is no such environment")
	errKeyTaken      = errors.New("another task was created with this key")
)

// A taskRecord is a task as it was asked for. How it goes on is the engine's.
type taskRecord struct {
	ID      string      `json:"id"`
	Spec    remote.Spec `json:"spec"`
	Created time.Time   `json:"created"`
}

// attemptID names attempt number, from 1, of a task.
func attemptID(task string, number int) string { return task + "-" + strconv.Itoa(number) }

// attempts returns how many attempts the task has.
func (r *taskRecord) attempts() int { return max(1, r.Spec.Attempts) }

// A store keeps what clients asked for and what came of it: tasks, events,
// results, environments.
type store struct {
	db  *bbolt.DB
	now func() time.Time
}

func openStore(ctx context.Context, path string, now func() time.Time) (*store, error) {
	db, err := openDatabase(ctx, path, tasksBucket, orderBucket, keysBucket, eventsBucket, fencesBucket, resultsBucket, environmentsBucket)
	if err != nil {
		return nil, err
	}
	return &store{db: db, now: now}, nil
}

// create keeps a task and returns it; with a key that is known, the task that
// has it. The error is errKeyTaken where that one was asked for otherwise.
func (s *store) create(id string, spec remote.Spec) (rec *taskRecord, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		if known := tx.Bucket(keysBucket).Get([]byte(spec.Key)); known != nil {
			rec, err = getTask(tx, string(known))
			if err == nil && !sameSpec(rec.Spec, spec) {
				return fmt.Errorf("%w: %s", errKeyTaken, rec.ID)
			}
			return err
		}
		rec = &taskRecord{ID: id, Spec: spec, Created: s.now()}
		return putTask(tx, rec)
	})
	return rec, err
}

// sameSpec reports whether a and b ask for the same. A commit is the same
// whichever bundle it came in.
func sameSpec(a, b remote.Spec) bool {
	a.Base.Bundle, b.Base.Bundle = text.Hash{}, text.Hash{}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func putTask(tx *bbolt.Tx, rec *taskRecord) error {
	order := tx.Bucket(orderBucket)
	n, err := order.NextSequence()
	if err != nil {
		return err
	}
	return errors.Join(
		order.Put(number(n), []byte(rec.ID)),
		tx.Bucket(keysBucket).Put([]byte(rec.Spec.Key), []byte(rec.ID)),
		putJSON(tx.Bucket(tasksBucket), []byte(rec.ID), rec))
}

func getTask(tx *bbolt.Tx, id string) (*taskRecord, error) {
	rec := &taskRecord{}
	ok, err := getJSON(tx.Bucket(tasksBucket), []byte(id), rec)
	if err == nil && !ok {
		err = fmt.Errorf("%s: %w", id, errNoTask)
	}
	return rec, err
}

// task returns the task id; errNoTask where there is none.
func (s *store) task(id string) (rec *taskRecord, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		rec, err = getTask(tx, id)
		return err
	})
	return rec, err
}

// keyed returns the task with this key, nil where there is none.
func (s *store) keyed(key string) (rec *taskRecord, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		id := tx.Bucket(keysBucket).Get([]byte(key))
		if id == nil {
			return nil
		}
		rec, err = getTask(tx, string(id))
		return err
	})
	return rec, err
}

// tasks returns the tasks before cursor, the newest first, that keep says yes
// to, and the cursor of those that follow: "" at the end. An empty cursor is
// the beginning.
func (s *store) tasks(limit int, cursor string, keep func(*taskRecord) bool) (found []*taskRecord, next string, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(orderBucket).Cursor()
		for k, id := seekBefore(c, cursor); k != nil; k, id = c.Prev() {
			rec, err := getTask(tx, string(id))
			if err != nil {
				return err
			}
			if !keep(rec) {
				continue
			}
			if len(found) == limit {
				return nil
			}
			found = append(found, rec)
			next = strconv.FormatUint(binary.BigEndian.Uint64(k), 10)
		}
		next = ""
		return nil
	})
	return found, next, err
}

func seekBefore(c *bbolt.Cursor, cursor string) (k, v []byte) {
	n, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		return c.Last()
	}
	if k, _ = c.Seek(number(n)); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// claim makes fence the one whose events and results of the attempt count. The
// error is ErrFenced for one that is not the highest.
func (s *store) claim(attempt string, fence uint64) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if err := checkFence(tx, attempt, fence); err != nil {
			return err
		}
		return tx.Bucket(fencesBucket).Put([]byte(attempt), number(fence))
	})
}

func checkFence(tx *bbolt.Tx, attempt string, fence uint64) error {
	if highest := tx.Bucket(fencesBucket).Get([]byte(attempt)); highest != nil && binary.BigEndian.Uint64(highest) > fence {
		return fmt.Errorf("%s: %w", attempt, ErrFenced)
	}
	return nil
}

// append adds events of an attempt to its task, and numbers them.
func (s *store) append(task, attempt string, fence uint64, events []remote.Event) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if err := checkFence(tx, attempt, fence); err != nil {
			return err
		}
		b, err := tx.Bucket(eventsBucket).CreateBucketIfNotExists([]byte(task))
		if err != nil {
			return err
		}
		b.FillPercent = 0.9 // they only grow
		for _, ev := range events {
			if ev.Seq, err = b.NextSequence(); err != nil {
				return err
			}
			if err := putJSON(b, number(ev.Seq), ev); err != nil {
				return err
			}
		}
		return nil
	})
}

// events returns the events of a task behind number after, at most limit.
func (s *store) events(task string, after uint64, limit int) (found []remote.Event, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(eventsBucket).Bucket([]byte(task))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, v := c.Seek(number(after + 1)); k != nil && len(found) < limit; k, v = c.Next() {
			var ev remote.Event
			if err := json.Unmarshal(v, &ev); err != nil {
				return fmt.Errorf("read event %d of %s: %w", binary.BigEndian.Uint64(k), task, err)
			}
			found = append(found, ev)
		}
		return nil
	})
	return found, err
}

// said returns how many bytes of answer the attempt has shown that count.
func (s *store) said(task string, attempt int) (n int, err error) {
	const piece = 1000 // events
	for after := uint64(0); ; {
		events, err := s.events(task, after, piece)
		if err != nil || len(events) == 0 {
			return n, err
		}
		for _, ev := range events {
			after = ev.Seq
			if ev.Attempt != attempt {
				continue
			}
			n -= ev.Void
			if ev.Kind == remote.Text {
				n += len(ev.Text)
			}
		}
	}
}

func resultKey(attempt string, fence uint64) []byte {
	return append([]byte(attempt+"\x00"), number(fence)...)
}

// putResult keeps what the try with this fence came to.
func (s *store) putResult(attempt string, fence uint64, result *remote.Result) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if err := checkFence(tx, attempt, fence); err != nil {
			return err
		}
		return putJSON(tx.Bucket(resultsBucket), resultKey(attempt, fence), result)
	})
}

// result returns what putResult kept, nil where that is nothing.
func (s *store) result(attempt string, fence uint64) (result *remote.Result, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		var kept remote.Result
		ok, err := getJSON(tx.Bucket(resultsBucket), resultKey(attempt, fence), &kept)
		if ok {
			result = &kept
		}
		return err
	})
	return result, err
}

// putEnvironment declares an environment, or declares it anew.
func (s *store) putEnvironment(env remote.Environment) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		return putJSON(tx.Bucket(environmentsBucket), []byte(env.Name), env)
	})
}

// removeEnvironment takes an environment away, if it is there.
func (s *store) removeEnvironment(name string) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(environmentsBucket).Delete([]byte(name)) })
}

// environment returns the environment with this name; errNoEnvironment where
// there is none.
func (s *store) environment(name string) (env remote.Environment, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		ok, err := getJSON(tx.Bucket(environmentsBucket), []byte(name), &env)
		if err == nil && !ok {
			err = fmt.Errorf("%q: %w", name, errNoEnvironment)
		}
		return err
	})
	return env, err
}

// environments returns all of them, by name.
func (s *store) environments() (all []remote.Environment, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(environmentsBucket).ForEach(func(_, raw []byte) error {
			var env remote.Environment
			err := json.Unmarshal(raw, &env)
			all = append(all, env)
			return err
		})
	})
	return all, err
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func putJSON(b *bbolt.Bucket, key []byte, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, raw)
}

func getJSON(b *bbolt.Bucket, key []byte, v any) (ok bool, err error) {
	raw := b.Get(key)
	if raw == nil {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}
