// A worker parses texts and lists what is in their trees as flat records. One
// thread may use it at a time.
#ifndef AGENTLS_WORKER_H
#define AGENTLS_WORKER_H

#include "core.h"

// A record is a named node. Records stand in the order of their texts, a node
// before those in it.
typedef struct {
  uint32_t start, end; // bytes
  uint32_t next;       // the record behind the last one inside this node
  uint16_t kind;       // symbol of the grammar; 65535 is an error
  uint16_t field;      // what the node is to its parent, 0 is nothing
} record;

// What to do with a node, by kind.
enum { walk_into = 0, walk_over = 1, walk_hide = 2 }; // list it and what is in it; list it; neither

typedef struct worker worker;

worker *worker_new(void);
void worker_free(worker *w); // its trees must be gone

// Parses text, beginning from old if that is no NULL, which edit must have
// brought up to date. NULL if it took longer than that many nanoseconds, or
// the grammar does not fit.
TSTree *worker_parse(worker *w, const TSLanguage *language, const char *text, uint32_t size, const TSTree *old, uint64_t limit);

// Tells tree that its bytes from start to was are now those from start to now.
void worker_edit(worker *w, TSTree *tree, TSInputEdit edit);
void worker_delete(worker *w, TSTree *tree);

// Lists the nodes of tree by action, of which there are kinds. Of the root's
// children only those that end behind from and start before to. The records
// are the worker's until its next call; NULL if there is no memory for them.
record *worker_walk(worker *w, const TSTree *tree, const uint8_t *action, uint32_t kinds, uint32_t from, uint32_t to, uint32_t *count);

// worker_parse, worker_walk of everything and worker_delete in one call.
record *worker_index(worker *w, const TSLanguage *language, const char *text, uint32_t size, const uint8_t *action, uint32_t kinds, uint64_t limit, uint32_t *count);

// Lists the errors in tree, at most max. Field is 1 where something is missing.
record *worker_errors(worker *w, const TSTree *tree, uint32_t max, uint32_t *count);

// The bytes from the first to the last place where now is built otherwise than
// old, which was edited; an empty range if nowhere.
void worker_changed(worker *w, const TSTree *old, const TSTree *now, uint32_t *from, uint32_t *to);

// Returns memory that nobody uses to the system.
void worker_trim(void);

#endif
