#include "worker.h"
#include "heap.h"

#include <stdlib.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

struct worker {
  heap heap;
  TSParser *parser;
  const TSLanguage *language;
  TSTreeCursor cursor;
  bool has_cursor;

  const char *text; // what is being parsed
  uint32_t size;
  uint64_t deadline; // nanoseconds

  record *records;
  uint32_t count, capacity;
};

worker *worker_new(void) {
  worker *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  heap_enter(&w->heap);
  w->parser = ts_parser_new();
  heap_leave();
  return w;
}

void worker_free(worker *w) {
  heap_enter(&w->heap);
  if (w->has_cursor) ts_tree_cursor_delete(&w->cursor);
  ts_parser_delete(w->parser);
  heap_leave();
  heap_release(&w->heap);
  free(w->records);
  free(w);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// The core asks every hundred steps or so.
static bool is_late(TSParseState *state) { return now() > ((worker *)state->payload)->deadline; }

static const char *read_text(void *payload, uint32_t at, TSPoint position, uint32_t *size) {
  (void)position;
  worker *w = payload;
  *size = at < w->size ? w->size - at : 0;
  return at < w->size ? w->text + at : "";
}

// Takes another parser. To reset it is not enough: v0.25 keeps that it was
// stopped while it balanced its tree, and the next parse dies of that.
static void renew(worker *w) {
  ts_parser_delete(w->parser);
  w->parser = ts_parser_new();
  w->language = NULL;
}

static TSTree *parse(worker *w, const TSLanguage *language, const char *text, uint32_t size, const TSTree *old, uint64_t limit) {
  if (language != w->language) {
    if (!ts_parser_set_language(w->parser, language)) return NULL;
    w->language = language;
  }
  w->text = text;
  w->size = size;
  w->deadline = now() + limit;
  TSInput input = {.payload = w, .read = read_text, .encoding = TSInputEncodingUTF8};
  TSParseOptions options = {.payload = w, .progress_callback = is_late};
  TSTree *tree = ts_parser_parse_with_options(w->parser, old, input, options);
  if (!tree) renew(w); // else the next parse would go on with this one
  w->text = NULL;
  return tree;
}

TSTree *worker_parse(worker *w, const TSLanguage *language, const char *text, uint32_t size, const TSTree *old, uint64_t limit) {
  heap_enter(&w->heap);
  TSTree *tree = parse(w, language, text, size, old, limit);
  heap_leave();
  return tree;
}

void worker_edit(worker *w, TSTree *tree, TSInputEdit edit) {
  heap_enter(&w->heap);
  ts_tree_edit(tree, &edit);
  heap_leave();
}

void worker_delete(worker *w, TSTree *tree) {
  heap_enter(&w->heap);
  ts_tree_delete(tree);
  heap_leave();
}

// Makes room for one more record and returns it, or NULL.
static record *append(worker *w) {
  if (w->count == w->capacity) {
    uint32_t capacity = w->capacity ? w->capacity * 2 : 1 << 12;
    record *grown = realloc(w->records, capacity * sizeof *grown);
    if (!grown) return NULL;
    w->records = grown;
    w->capacity = capacity;
  }
  return &w->records[w->count++];
}

// Appends the record of the node under the cursor.
static bool list(worker *w, TSNode node, uint32_t parent) {
  record *r = append(w);
  if (!r) return false;
  r->start = ts_node_start_byte(node);
  r->end = ts_node_end_byte(node);
  r->next = parent; // until the node is left
  r->kind = ts_node_symbol(node);
  r->field = ts_tree_cursor_current_field_id(&w->cursor);
  return true;
}

static void reset_cursor(worker *w, TSNode root) {
  if (w->has_cursor) {
    ts_tree_cursor_reset(&w->cursor, root);
  } else {
    w->cursor = ts_tree_cursor_new(root);
    w->has_cursor = true;
  }
}

// Goes to the first child that ends behind from. The core's search for it gives
// up where that byte lies in the hidden end of a child (v0.25.0), so it is
// begun further and further in front.
static bool enter_at(TSTreeCursor *at, uint32_t from) {
  uint32_t back = 0;
  while (back < from && ts_tree_cursor_goto_first_child_for_byte(at, from - back) < 0) back = back * 2 + 1;
  if (back >= from && !ts_tree_cursor_goto_first_child(at)) return false;
  while (ts_node_end_byte(ts_tree_cursor_current_node(at)) <= from) {
    if (!ts_tree_cursor_goto_next_sibling(at)) return false;
  }
  return true;
}

// The way back up is kept in the records themselves: until a node is left, its
// next is the number of its parent. So a walk needs no stack, however deep a
// text nests.
static record *walk(worker *w, const TSTree *tree, const uint8_t *action, uint32_t kinds, uint32_t from, uint32_t to, uint32_t *count) {
  TSNode root = ts_tree_root_node(tree);
  TSTreeCursor *at = &w->cursor;
  uint32_t parent = 0;
  w->count = 0;
  reset_cursor(w, root);
  if (!list(w, root, 0)) return NULL;
  bool inside = from == 0 ? ts_tree_cursor_goto_first_child(at) : enter_at(at, from);
  while (inside) {
    TSNode node = ts_tree_cursor_current_node(at);
    uint16_t kind = ts_node_symbol(node);
    uint8_t act = kind < kinds ? action[kind] : walk_into;
    if (parent == 0 && ts_node_start_byte(node) >= to) break;
    if (act != walk_hide) {
      if (!list(w, node, parent)) return NULL;
      if (act == walk_into && ts_tree_cursor_goto_first_child(at)) {
        parent = w->count - 1;
        continue;
      }
      w->records[w->count - 1].next = w->count;
    }
    while (!ts_tree_cursor_goto_next_sibling(at)) {
      if (parent == 0) {
        inside = false;
        break;
      }
      ts_tree_cursor_goto_parent(at);
      uint32_t left = parent;
      parent = w->records[left].next;
      w->records[left].next = w->count;
    }
  }
  w->records[0].next = w->count;
  *count = w->count;
  return w->records;
}

record *worker_walk(worker *w, const TSTree *tree, const uint8_t *action, uint32_t kinds, uint32_t from, uint32_t to, uint32_t *count) {
  heap_enter(&w->heap);
  record *records = walk(w, tree, action, kinds, from, to, count);
  heap_leave();
  return records;
}

record *worker_index(worker *w, const TSLanguage *language, const char *text, uint32_t size, const uint8_t *action, uint32_t kinds, uint64_t limit, uint32_t *count) {
  record *records = NULL;
  heap_enter(&w->heap);
  TSTree *tree = parse(w, language, text, size, NULL, limit);
  if (tree) {
    records = walk(w, tree, action, kinds, 0, UINT32_MAX, count);
    ts_tree_delete(tree);
  }
  heap_leave();
  return records;
}

// Walks only the parts of the tree that hold errors. Nothing inside an error
// is listed.
static bool find_errors(worker *w, TSNode root, uint32_t max) {
  TSTreeCursor *at = &w->cursor;
  w->count = 0;
  reset_cursor(w, root);
  while (w->count < max) {
    TSNode node = ts_tree_cursor_current_node(at);
    bool missing = ts_node_is_missing(node), broken = missing || ts_node_is_error(node);
    if (broken) {
      if (!list(w, node, 0)) return false;
      w->records[w->count - 1].field = missing;
    }
    if (!broken && ts_node_has_error(node) && ts_tree_cursor_goto_first_child(at)) continue;
    while (!ts_tree_cursor_goto_next_sibling(at)) {
      if (!ts_tree_cursor_goto_parent(at)) return true;
    }
  }
  return true;
}

record *worker_errors(worker *w, const TSTree *tree, uint32_t max, uint32_t *count) {
  heap_enter(&w->heap);
  bool found = find_errors(w, ts_tree_root_node(tree), max);
  heap_leave();
  *count = w->count;
  return found ? w->records : NULL;
}

void worker_changed(worker *w, const TSTree *old, const TSTree *fresh, uint32_t *from, uint32_t *to) {
  uint32_t count = 0;
  heap_enter(&w->heap);
  TSRange *ranges = ts_tree_get_changed_ranges(old, fresh, &count);
  *from = count ? ranges[0].start_byte : 0;
  *to = count ? ranges[count - 1].end_byte : 0;
  heap_free(ranges);
  heap_leave();
}

void worker_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
