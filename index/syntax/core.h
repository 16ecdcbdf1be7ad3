// The part of tree-sitter's C interface that this package calls, as in
// <tree_sitter/api.h> of go-tree-sitter v0.25.0, whose copy of the core is the
// one that is linked. (A Go module cannot offer its headers to another.) To be
// compared when that version changes.
#ifndef AGENTLS_CORE_H
#define AGENTLS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TSLanguage TSLanguage;
typedef struct TSParser TSParser;
typedef struct TSTree TSTree;

typedef struct { uint32_t row, column; } TSPoint;
typedef struct { TSPoint start_point, end_point; uint32_t start_byte, end_byte; } TSRange;
typedef struct { uint32_t context[4]; const void *id; const TSTree *tree; } TSNode;
typedef struct { const void *tree, *id; uint32_t context[3]; } TSTreeCursor;
typedef struct { uint32_t start_byte, old_end_byte, new_end_byte; TSPoint start_point, old_end_point, new_end_point; } TSInputEdit;
typedef enum { TSInputEncodingUTF8 } TSInputEncoding;
typedef struct {
  void *payload;
  const char *(*read)(void *payload, uint32_t at, TSPoint position, uint32_t *size);
  TSInputEncoding encoding;
  uint32_t (*decode)(const uint8_t *text, uint32_t size, int32_t *point);
} TSInput;
typedef struct { void *payload; uint32_t current_byte_offset; bool has_error; } TSParseState;
typedef struct { void *payload; bool (*progress_callback)(TSParseState *state); } TSParseOptions;

void ts_set_allocator(void *(*)(size_t), void *(*)(size_t, size_t), void *(*)(void *, size_t), void (*)(void *));

TSParser *ts_parser_new(void);
void ts_parser_delete(TSParser *);
void ts_parser_reset(TSParser *);
bool ts_parser_set_language(TSParser *, const TSLanguage *);
TSTree *ts_parser_parse_with_options(TSParser *, const TSTree *old, TSInput, TSParseOptions);

void ts_tree_delete(TSTree *);
void ts_tree_edit(TSTree *, const TSInputEdit *);
TSNode ts_tree_root_node(const TSTree *);
TSRange *ts_tree_get_changed_ranges(const TSTree *old, const TSTree *now, uint32_t *count);

uint16_t ts_node_symbol(TSNode);
uint32_t ts_node_start_byte(TSNode);
uint32_t ts_node_end_byte(TSNode);
bool ts_node_is_error(TSNode);
bool ts_node_is_missing(TSNode);
bool ts_node_has_error(TSNode);

TSTreeCursor ts_tree_cursor_new(TSNode);
void ts_tree_cursor_delete(TSTreeCursor *);
void ts_tree_cursor_reset(TSTreeCursor *, TSNode);
TSNode ts_tree_cursor_current_node(const TSTreeCursor *);
uint16_t ts_tree_cursor_current_field_id(const TSTreeCursor *);
bool ts_tree_cursor_goto_parent(TSTreeCursor *);
bool ts_tree_cursor_goto_first_child(TSTreeCursor *);
int64_t ts_tree_cursor_goto_first_child_for_byte(TSTreeCursor *, uint32_t at);
bool ts_tree_cursor_goto_next_sibling(TSTreeCursor *);

#endif
